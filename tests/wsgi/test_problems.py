from __future__ import annotations

from typing import Any

import pytest

from tests.wsgi.answers import Answer
from tests.wsgi.conftest import Sites
from tests.wsgi.sites import JAR, LARGE_BODY, METADATA, POM, SMALL_BODY, Site
from virtreg import UpstreamError
from virtreg.testing.origin import Gate

MISSING = "org/example/none/1/none-1.pom"


def upstreams(answer: Answer) -> list[tuple[str, str]]:
    return [(said["name"], said["outcome"]) for said in answer.problem["upstreams"]]


def test_an_absent_path_names_what_each_upstream_said(site: Site) -> None:
    site.far.put(MISSING, status=410)
    answer = site.get(MISSING, registry="main")
    assert answer.status == 404
    problem = answer.problem
    assert problem["detail"] == f"{MISSING} is in none of the upstreams of main"
    assert problem["message"] == "404 Not Found"
    assert problem["code"] == "not_found"
    assert problem["upstreams"] == [
        {"name": "near", "outcome": "absent", "detail": "404 Not Found"},
        {"name": "far", "outcome": "absent", "detail": "410 Gone"},
    ]
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Retry-After" not in answer


@pytest.mark.parametrize(
    ("behaviour", "status", "code", "retry_after"),
    [
        ({"status": 500}, 502, "upstream_unavailable", "30"),
        ({"silent": True}, 502, "upstream_unavailable", "30"),
        ({"status": 401}, 502, "upstream_refused", "30"),
        ({"html": True}, 502, "upstream_corrupt", "30"),
        ({"headers": {"X-Checksum-Sha1": "0" * 40}}, 502, "upstream_corrupt", "30"),
        ({"status": 429, "headers": {"Retry-After": "77"}}, 503, "upstream_throttled", "77"),
        ({"status": 503, "headers": {"Retry-After": "5"}}, 503, "upstream_throttled", "5"),
    ],
)
def test_a_broken_upstream_is_named_and_never_absent(
    site: Site, behaviour: dict[str, Any], status: int, code: str, retry_after: str
) -> None:
    site.near.put(MISSING, SMALL_BODY, **behaviour)
    answer = site.get(MISSING, registry="main")
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert answer["Retry-After"] == retry_after
    assert answer.problem["message"].startswith(f"{status} ")
    ((name, outcome), *_) = upstreams(answer)
    assert (name, f"upstream_{outcome}") == ("near", code)
    assert 'on_error = "continue"' in answer.problem["hint"]


def test_an_upstream_that_does_not_answer_in_time(sites: Sites) -> None:
    site = sites(settings={"read_timeout": 0.1})
    gate = Gate()
    site.near.put(POM, SMALL_BODY, hold=gate)
    answer = site.get(POM)
    gate.release()
    assert (answer.status, answer.problem["code"]) == (504, "upstream_timeout")
    assert answer["Retry-After"] == "30"
    assert upstreams(answer) == [("near", "timeout")]


def test_a_failure_is_not_repeated_once_the_upstream_is_well(site: Site) -> None:
    site.near.put(POM, SMALL_BODY, status=500, only_times=1)
    assert site.get(POM).status == 502
    answer = site.get(POM)
    assert (answer.status, answer.body) == (200, SMALL_BODY)


def test_a_lying_checksum_of_a_large_file_cuts_the_answer(quick_site: Site) -> None:
    quick_site.near.put(f"{JAR}.sha1", b"0" * 40)
    try:
        told = quick_site.get(JAR).problem["detail"]
    except UpstreamError as error:
        told = error.message
    # Without a cut where it proved wrong before any of it had left.
    assert "sha1" in told
    assert quick_site.assembly.index.find(JAR, [quick_site.near_key]) == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_download_of_unknown_length_that_breaks_off_is_told(
    quick_site: Site, method: str
) -> None:
    quick_site.near.put(JAR, LARGE_BODY, chunked=True, conditional=False, cut_after=400_000)
    answer = quick_site.door.ask(method, f"/maven/solo/{JAR}")
    assert answer.status == 502
    assert answer["Retry-After"] == "30"


def test_a_download_that_proves_wrong_before_any_of_it_has_left_is_told(quick_site: Site) -> None:
    lie = {"X-Checksum-Sha1": "0" * 40}
    quick_site.near.put(JAR, bytes(300_000), headers=lie)
    answer = quick_site.door.ask("GET", f"/maven/solo/{JAR}")
    assert answer.status == 502
    assert answer.problem["code"] == "upstream_corrupt"


def test_a_store_that_fails_is_told_ready_or_not(sites: Sites) -> None:
    site = sites(storage={"when_unavailable": "refuse"})
    site.make_ready(JAR)
    site.fill(POM)
    blobs = site.data / "blobs"
    blobs.rename(site.data / "elsewhere")
    blobs.symlink_to(blobs)
    for path in (JAR, POM, JAR):
        answer = site.get(path)
        assert (answer.status, answer.problem["code"]) == (503, "store_unavailable")
        assert str(site.data) not in answer.body.decode()
        assert answer["Retry-After"] == "30"


def test_without_its_store_it_streams_what_upstreams_have(site: Site) -> None:
    site.make_ready(JAR)
    site.fill(POM)
    blobs = site.data / "blobs"
    blobs.rename(site.data / "elsewhere")
    blobs.symlink_to(blobs)
    for _ in range(2):
        for path, body in ((JAR, LARGE_BODY), (POM, SMALL_BODY)):
            answer = site.get(path)
            assert (answer.status, answer.body) == (200, body)
            assert answer.origin in ("miss", "joined")
        part = site.get(JAR, {"Range": "bytes=10-19"})
        assert (part.status, part.body) == (206, LARGE_BODY[10:20])
    # At once: what was streamed last is still being put.
    (site.data / "link").symlink_to(site.data / "elsewhere")
    (site.data / "link").replace(blobs)
    for path in (JAR, POM):
        assert site.get(path).origin == "hit"


def test_without_its_index_what_is_ready_is_served_and_nothing_else(quick_site: Site) -> None:
    quick_site.make_ready(POM)
    quick_site.make_ready(JAR)
    quick_site.assembly.index.close()
    for path, body in ((POM, SMALL_BODY), (JAR, LARGE_BODY)):
        answer = quick_site.get(path)
        assert (answer.status, answer.origin, answer.body) == (200, "hit", body)
    for path in (MISSING, f"{POM}.sha1", METADATA):
        answer = quick_site.get(path)
        assert (answer.status, answer.problem["code"]) == (503, "index_unavailable")
        assert answer["Retry-After"] == "30"
    quick_site.assembly.ledger.flush()


def test_an_index_that_fails_is_told(quick_site: Site) -> None:
    quick_site.assembly.index.close()
    answer = quick_site.get(POM)
    assert (answer.status, answer.problem["code"]) == (503, "index_unavailable")
    quick_site.assembly.ledger.flush()
