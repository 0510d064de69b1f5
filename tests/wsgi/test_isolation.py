"""What one registry may serve stays out of reach of another that does not list its upstream.

``main`` is over ``near`` and ``far``, ``solo`` over ``near`` alone: all that is ``far``'s is
secret from whoever may use ``solo`` only.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.wsgi.sites import LARGE_BODY, METADATA, MIDDLE_BODY, SMALL_BODY, Site
from virtreg.testing.origin import Gate

DOCUMENTED = "/api/v4/virtual_registries/packages/maven/7"
SECRET = "org/example/secret/1.0/secret-1.0.bin"
BODIES = pytest.mark.parametrize(
    "body", [SMALL_BODY, MIDDLE_BODY, LARGE_BODY], ids=["small", "middle", "large"]
)


def nothing_of_it(site: Site, etag: str) -> None:
    for path in (SECRET, f"{SECRET}.sha1", f"{SECRET}.sha256"):
        for headers in ({}, {"If-None-Match": etag}, {"Range": "bytes=0-0"}):
            for method in ("GET", "HEAD"):
                for url in (f"/maven/solo/{path}", f"{DOCUMENTED}/{path}"):
                    answer = site.door.ask(method, url, headers)
                    assert answer.status == 404
                    assert "ETag" not in answer
                    assert b"far" not in answer.body


@BODIES
def test_a_cached_file(site: Site, body: bytes) -> None:
    site.far.put(SECRET, body)
    etag = site.make_ready(SECRET, "main")["ETag"]
    nothing_of_it(site, etag)
    site.clock.advance(7 * 24 * 3600)
    nothing_of_it(site, etag)
    assert site.get(SECRET, registry="main").body == body


@BODIES
def test_a_file_of_the_same_bytes_is_asked_for_and_not_found(site: Site, body: bytes) -> None:
    site.far.put(SECRET, body)
    site.fill(SECRET, "main")
    public = SECRET.replace("secret", "public")
    site.near.put(public, body)
    assert site.fill(public).body == body
    nothing_of_it(site, site.get(public)["ETag"])


@BODIES
def test_another_file_at_the_same_path(site: Site, body: bytes) -> None:
    site.far.put(SECRET, body)
    site.make_ready(SECRET, "main")
    site.near.put(SECRET, body[::-1])
    site.clock.advance(301)  # until its absence is not believed any more
    assert site.get(SECRET).body == body[::-1]


def test_a_file_on_its_way(site: Site) -> None:
    gate = Gate()
    site.far.put(SECRET, LARGE_BODY, hold=gate)
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(site.get, SECRET, registry="main")
        gate.await_arrival()
        try:
            nothing_of_it(site, '"x"')
        finally:
            gate.release()
        assert asking.result().body == LARGE_BODY
    site.witness.await_filled(SECRET)


def test_a_merged_document(site: Site) -> None:
    assert b"<version>1.1</version>" in site.merge().body
    assert b"1.1" not in site.get(METADATA).body
    assert b"1.1" not in site.get(METADATA).body


def test_absence_is_each_upstream_s_own(site: Site) -> None:
    assert [site.get(SECRET).status for _ in range(2)] == [404, 404]
    site.far.put(SECRET, SMALL_BODY)
    assert site.get(SECRET, registry="main").status == 200


def test_a_purge_reaches_no_further(site: Site) -> None:
    site.far.put(SECRET, SMALL_BODY)
    site.make_ready(SECRET, "main")
    site.assembly.registries["solo"].purge(SECRET)
    assert site.get(SECRET, registry="main").origin == "hit"
    assert site.far.count(SECRET) == 1
