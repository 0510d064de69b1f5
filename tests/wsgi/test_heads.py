from __future__ import annotations

import pytest

from tests.wsgi.sites import JAR, LARGE_BODY, METADATA, MIDDLE, MIDDLE_BODY, POM, SMALL_BODY, Site
from virtreg.testing.origin import Gate


def same_headers(
    site: Site, head: str, get: str, registry: str = "solo", status: int = 200
) -> None:
    """HEAD of one path and GET of another with the same content (RFC 9110, 9.3.2)."""
    without = site.head(head, registry=registry)
    full = site.get(get, registry=registry)
    assert (without.status, full.status) == (status, status)
    assert without.ours == full.ours
    assert without.body == b""
    assert int(full["Content-Length"]) == len(full.body) > 0


@pytest.mark.parametrize(("path", "body"), [(POM, SMALL_BODY), (MIDDLE, MIDDLE_BODY)])
def test_head_of_a_cold_small_file(site: Site, path: str, body: bytes) -> None:
    twin = path.replace("thing", "twin")
    site.near.put(twin, body)
    same_headers(site, path, twin)


def test_head_of_a_cold_large_file(site: Site) -> None:
    twin = JAR.replace("thing", "twin")
    head, get = Gate(), Gate()
    site.near.put(JAR, LARGE_BODY, stall_after=300_000, stall=head)
    site.near.put(twin, LARGE_BODY, stall_after=len(LARGE_BODY), stall=get)
    without = site.head(JAR)
    head.release()
    get.release()
    full = site.get(twin)
    assert without.body == b""
    assert full.body == LARGE_BODY
    assert without.origin == full.origin == "miss"
    # How much of the download is proved by now is a race; what is said at once is not.
    told = {name: value for name, value in full.ours.items() if name in without.ours}
    assert (without.status, without.ours) == (full.status, told)
    assert without["Content-Length"] == str(len(LARGE_BODY))


@pytest.mark.parametrize("path", [POM, MIDDLE, JAR])
def test_head_of_a_warm_file(site: Site, path: str) -> None:
    site.fill(path)
    same_headers(site, path, path)  # from the cache
    same_headers(site, path, path)  # ready


def test_head_of_a_merged_document(site: Site) -> None:
    cold = site.head(METADATA, registry="main")
    assert (cold.origin, cold.body) == ("merged", b"")
    warm = site.get(METADATA, registry="main")
    assert {**cold.ours, "x-virtreg-cache": warm.origin} == warm.ours
    same_headers(site, METADATA, METADATA, "main")


@pytest.mark.parametrize("suffix", ["md5", "sha1", "sha256", "sha512"])
def test_head_of_a_checksum(site: Site, suffix: str) -> None:
    site.fill(POM)
    same_headers(site, f"{POM}.{suffix}", f"{POM}.{suffix}")
    same_headers(site, f"{POM}.{suffix}", f"{POM}.{suffix}")


def test_head_of_an_absent_path(site: Site) -> None:
    # Each once from the upstream, then from what is remembered, then ready.
    same_headers(site, "absent-1.pom", "absent-1.pom", status=404)
    assert site.head("absent-2.pom").status == 404
    same_headers(site, "absent-2.pom", "absent-2.pom", status=404)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/maven/solo/a/../b", 400),
        ("/maven/nobody/a", 404),
        ("/elsewhere", 404),
        ("/-/elsewhere", 404),
    ],
)
def test_head_of_what_is_refused(site: Site, target: str, status: int) -> None:
    without, full = site.door.ask("HEAD", target), site.door.ask("GET", target)
    assert (without.status, full.status) == (status, status)
    assert without.ours == full.ours
    assert without.body == b""
    assert full.body


def test_head_while_the_upstream_is_broken(site: Site) -> None:
    site.near.put("broken-1.pom", status=500)
    same_headers(site, "broken-1.pom", "broken-1.pom", status=502)
