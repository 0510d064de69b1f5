from __future__ import annotations

import json

import pytest

from tests.wsgi.sites import POM, Site


@pytest.mark.parametrize(
    ("target", "document"),
    [
        ("/-/health", {"status": "ok"}),
        ("/-/ready", {"status": "ok", "index": "ok", "store": "ok"}),
    ],
)
def test_a_probe_says_ok(site: Site, target: str, document: dict[str, str]) -> None:
    answer = site.door.ask("GET", target)
    assert (answer.status, json.loads(answer.body)) == (200, document)
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


def test_not_ready_without_its_index(site: Site) -> None:
    site.assembly.index.close()
    answer = site.door.ask("GET", "/-/ready")
    assert answer.status == 503
    assert json.loads(answer.body) == {
        "status": "unavailable",
        "index": "the index is closed",
        "store": "ok",
    }
    assert site.door.ask("GET", "/-/health").status == 200


def test_not_ready_without_its_store(site: Site) -> None:
    blobs = site.data / "blobs"
    blobs.symlink_to(blobs)
    answer = site.door.ask("GET", "/-/ready")
    assert answer.status == 503
    said = json.loads(answer.body)
    assert (said["status"], said["index"]) == ("unavailable", "ok")
    assert said["store"].startswith("cannot open blobs/")
    assert str(site.data) not in answer.body.decode()


def test_there_are_no_other_probes(site: Site) -> None:
    answer = site.door.ask("GET", "/-/metrics")
    assert (answer.status, answer.problem["detail"]) == (404, "there is /-/health and /-/ready")
