"""More requests than can wait for upstreams: what is cached is answered as ever."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import create_environ

from tests.wsgi.conftest import Sites
from tests.wsgi.sites import JAR, LARGE_BODY, POM, PROJECT, SMALL_BODY, Site
from virtreg import ServerConfig
from virtreg.testing.gate import Gate
from virtreg.wsgi.overload import Lasting

MISSES = 3
THREADS = 64


@pytest.fixture
def site(quick_sites: Sites) -> Site:
    site = quick_sites(server=ServerConfig(threads=THREADS, misses=MISSES))
    site.make_ready(POM)
    site.make_ready(JAR)
    return site


def cold(number: int) -> str:
    return f"{PROJECT}/2.{number}/thing-2.{number}.pom"


@contextmanager
def stalled(site: Site) -> Iterator[None]:
    """All that may wait for upstreams does."""
    gate = Gate()
    for number in range(MISSES):
        site.near.put(cold(number), SMALL_BODY, hold=gate)
    with ThreadPoolExecutor(MISSES) as threads:
        waiting = [threads.submit(site.get, cold(number)) for number in range(MISSES)]
        for _ in waiting:
            gate.await_arrival()
        try:
            yield
        finally:
            gate.release()
        assert [each.result(30).status for each in waiting] == [200] * MISSES


def test_what_is_cached_is_answered_while_no_more_can_wait(site: Site) -> None:
    site.near.put(cold(10), SMALL_BODY)
    with stalled(site):
        late = site.get(cold(10))
        assert (late.status, late.problem["code"]) == (503, "overloaded")
        assert late["Retry-After"] == "5"
        asked = len(site.near.requests)
        for _ in range(50):
            assert site.get(POM).body == SMALL_BODY
            assert site.get(JAR).body == LARGE_BODY
            assert site.get(JAR, {"Range": "bytes=0-9"}).body == LARGE_BODY[:10]
        assert len(site.near.requests) == asked
        assert site.door.ask("GET", "/-/ready").status == 200
        assert b"3 requests wait for upstreams" in site.door.ask("GET", "/-/health").body
    assert site.get(cold(10)).status == 200


def test_a_crowd_of_misses_is_told_to_come_again_and_none_of_the_hits(site: Site) -> None:
    with stalled(site), ThreadPoolExecutor(40) as threads:
        misses = [threads.submit(site.get, cold(20 + number)) for number in range(20)]
        hits = [threads.submit(site.get, POM) for _ in range(200)]
        assert {each.result(30).status for each in hits} == {200}
        assert {each.result(30).status for each in misses} == {503}


def begun(site: Site, path: str, **environ: str) -> Any:
    """An answer of which nothing has been read yet."""

    def start(status: str, headers: object, exc_info: object = None) -> Any:
        assert status.startswith("200")

    return site.assembly.app({**create_environ(f"/maven/solo/{path}"), **environ}, start)


@pytest.mark.parametrize("path", [JAR, f"{PROJECT}/3/thing-3.jar"], ids=["cached", "not cached"])
def test_who_takes_what_is_large_holds_a_place_until_the_end_or_until_they_leave(
    site: Site, path: str
) -> None:
    site.near.put(f"{PROJECT}/3/thing-3.jar", LARGE_BODY)
    slow = THREADS - THREADS // 8
    taken = [begun(site, path) for _ in range(MISSES)]
    taken += [begun(site, JAR) for _ in range(slow - MISSES)]
    assert all(isinstance(each, Lasting) for each in taken)
    refused = site.get(JAR)
    assert (refused.status, refused.problem["code"]) == (503, "overloaded")
    assert site.get(JAR, {"Range": "bytes=0-99999"}).status == 503
    assert site.get(POM).status == 200
    assert site.head(JAR).status == 200
    assert b"".join(taken[0]) == LARGE_BODY
    assert site.get(JAR).status == 200
    next(taken[1])
    for each in taken:
        each.close()
        each.close()
    again = [begun(site, JAR) for _ in range(slow)]
    for each in again:
        each.close()


def test_head_waits_for_upstreams_as_well(site: Site) -> None:
    with stalled(site):
        answer = site.head(cold(30))
        assert (answer.status, answer.body) == (503, b"")


def test_who_takes_all_they_can_leaves_places_to_others(quick_sites: Sites) -> None:
    trusting = ServerConfig(threads=16, misses=12, trusted_proxies=("127.0.0.0/8",))
    site = quick_sites(server=trusting)
    site.make_ready(JAR)
    one = {"X-Forwarded-For": "192.0.2.1"}
    other = {"X-Forwarded-For": "192.0.2.2"}
    told = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}
    # 14 requests may be slow, and of one address 11.
    held = [begun(site, JAR, **told) for _ in range(11)]
    refused = site.get(JAR, one)
    assert (refused.status, refused.problem["code"]) == (503, "overloaded")
    assert "11 requests from one address" in refused.problem["detail"]
    assert site.get(JAR, other).body == LARGE_BODY
    held.pop().close()
    assert site.get(JAR, one).body == LARGE_BODY
    for each in held:
        each.close()
