from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.wsgi.conftest import Sites
from tests.wsgi.sites import POM, Site
from virtreg import StorageConfig
from virtreg.errors import StorageError
from virtreg.model import Secret
from virtreg.readiness import essential
from virtreg.testing.gate import Gate
from virtreg.wsgi.probes import Probes

WELL = dict.fromkeys(("status", "index", "store", "journal", "disk", "overload"), "ok")
TARGETS = ("/-/health", "/-/ready")


@pytest.mark.parametrize("target", TARGETS)
def test_a_probe_says_ok(site: Site, target: str) -> None:
    answer = site.door.ask("GET", target)
    assert (answer.status, json.loads(answer.body)) == (200, WELL)
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    without = site.door.ask("HEAD", target)
    assert (without.status, without.ours, without.body) == (200, answer.ours, b"")


def test_upstreams_do_not_decide_whether_the_process_is_ready(site: Site) -> None:
    site.near.close()
    site.far.close()
    assert site.get(POM).status == 502
    assert site.door.ask("GET", "/-/ready").status == 200


def test_not_ready_without_its_own_index(site: Site) -> None:
    site.assembly.index.close()
    parts = {**WELL, "index": "the index is closed"}
    for target, status, word in (
        ("/-/ready", 503, "unavailable"),
        ("/-/health", 200, "degraded"),
    ):
        answer = site.door.ask("GET", target)
        said = json.loads(answer.body)
        # Whether its thread has found out by now is another matter.
        said["journal"] = "ok"
        assert (answer.status, said) == (status, {**parts, "status": word})


def test_degraded_and_ready_without_its_store(site: Site) -> None:
    blobs = site.data / "blobs"
    blobs.symlink_to(blobs)
    for target in TARGETS:
        answer = site.door.ask("GET", target)
        assert answer.status == 200
        said = json.loads(answer.body)
        assert (said["status"], said["index"]) == ("degraded", "ok")
        assert said["store"].startswith("cannot open blobs/")
        assert str(site.data) not in answer.body.decode()


def test_not_ready_without_a_store_that_nothing_stands_in_for(quick_sites: Sites) -> None:
    site = quick_sites(storage={"when_unavailable": "refuse"})
    blobs = site.data / "blobs"
    blobs.symlink_to(blobs)
    answer = site.door.ask("GET", "/-/ready")
    assert (answer.status, json.loads(answer.body)["status"]) == (503, "unavailable")
    assert site.door.ask("GET", "/-/health").status == 200


def test_a_database_that_all_nodes_share_decides_about_none() -> None:
    shared = StorageConfig(database=Secret("postgresql:///x"), when_unavailable="refuse")
    assert essential(shared) == {"store"}
    assert essential(StorageConfig()) == {"index"}


def test_there_are_no_other_probes(site: Site) -> None:
    answer = site.door.ask("GET", "/-/metrics")
    assert (answer.status, answer.problem["detail"]) == (404, "there is /-/health and /-/ready")


def asked(probes: Probes, target: str) -> tuple[str, Any]:
    said: list[str] = []

    def start(status: str, headers: object, exc_info: object = None) -> Any:
        said.append(status)

    body: Iterable[bytes] = probes.answer(target, "GET", start)
    return said[0], json.loads(b"".join(body))


def test_a_part_that_hangs_holds_no_probe_and_is_looked_at_once() -> None:
    gate = Gate()
    looks: list[int] = []

    def hangs() -> None:
        looks.append(1)
        gate.arrive()

    probes = Probes({"well": lambda: None, "stuck": hangs}, ["well"], patience=0.05)
    for target in (*TARGETS, *TARGETS):
        assert asked(probes, target) == (
            "200 OK",
            {"status": "degraded", "well": "ok", "stuck": "does not answer"},
        )
    assert len(looks) == 1
    gate.release()
    patient = Probes({"stuck": hangs}, patience=20)
    assert asked(patient, "/-/ready") == ("200 OK", {"status": "ok", "stuck": "ok"})


def test_what_is_essential_decides() -> None:
    def broken() -> None:
        raise StorageError("it is broken")

    said = {"a": "it is broken", "b": "ok"}
    probes = Probes({"a": broken, "b": lambda: None}, ["b"])
    assert asked(probes, "/-/ready") == ("200 OK", {"status": "degraded", **said})
    probes = Probes({"a": broken, "b": lambda: None})
    expected = ("503 Service Unavailable", {"status": "unavailable", **said})
    assert asked(probes, "/-/ready") == expected
