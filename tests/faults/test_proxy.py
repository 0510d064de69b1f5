"""The proxy breaks what it is told to break, where it is told to, and nothing else."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.processes import until
from tests.faults.caller import Answer, ask
from tests.faults.fault import Fault, Kind
from tests.faults.proxy import Proxies, Proxy
from virtreg.testing.origin import Origin

BODY = bytes(range(256)) * 1000


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin({"file": BODY, "other": b"other"}) as origin:
        yield origin


@pytest.fixture
def proxy(origin: Origin) -> Iterator[Proxy]:
    with Proxies() as proxies:
        yield proxies.to(origin.port)


def _get(proxy: Proxy, path: str = "file", seconds: float = 5) -> Answer:
    return ask(f"http://127.0.0.1:{proxy.port}/{path}", seconds)


def _assert_well(proxy: Proxy) -> None:
    answer = _get(proxy)
    assert (answer.status, answer.whole) == (200, True)
    assert answer.body == BODY


def test_without_a_fault_everything_passes(proxy: Proxy) -> None:
    _assert_well(proxy)


@pytest.mark.parametrize("kind", ["cut", "reset"])
@pytest.mark.parametrize("after", [0, 1, 1000, len(BODY) - 1])
def test_a_body_ends_exactly_where_it_is_cut(kind: Kind, after: int, proxy: Proxy) -> None:
    proxy.inject(Fault(kind, after, body=True))
    answer = _get(proxy)
    assert not answer.whole
    # A reset may overtake bytes; an end does not.
    assert len(answer.body) == after or (kind == "reset" and len(answer.body) < after)
    assert BODY.startswith(answer.body)
    assert proxy.struck == 1
    proxy.heal()
    _assert_well(proxy)


@pytest.mark.parametrize("after", [0, 10])
def test_an_answer_ends_in_its_head(after: int, proxy: Proxy) -> None:
    proxy.inject(Fault("cut", after))
    answer = _get(proxy)
    assert (answer.status, answer.hung) == (0, False)
    assert proxy.struck == 1


@pytest.mark.parametrize("after", [0, 100])
def test_what_is_stalled_says_nothing_until_it_is_healed(after: int, proxy: Proxy) -> None:
    proxy.inject(Fault("stall", after, body=True))
    answer = _get(proxy, seconds=0.5)
    assert answer.hung
    assert len(answer.body) == after
    proxy.heal()
    _assert_well(proxy)


def test_a_stall_holds_for_connections_that_are_open(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.5)
    try:
        connection.request("GET", "/other")
        assert connection.getresponse().read() == b"other"
        proxy.inject(Fault("stall"))
        connection.request("GET", "/other")
        with pytest.raises(TimeoutError):
            connection.getresponse()
    finally:
        connection.close()
    assert proxy.struck == 1


def test_what_was_stalled_goes_on(proxy: Proxy) -> None:
    proxy.inject(Fault("stall", 100, body=True))
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(_get, proxy, seconds=20)
        until(lambda: proxy.struck == 1, "stall")
        proxy.heal()
        assert asked.result().body == BODY


def test_nobody_listens_where_connections_are_refused(proxy: Proxy) -> None:
    proxy.inject(Fault("refuse"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), 5)
    proxy.heal()
    _assert_well(proxy)


def test_connections_that_are_ignored_are_not_completed(proxy: Proxy) -> None:
    proxy.inject(Fault("ignore"))
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", proxy.port), 0.5)
    proxy.heal()
    _assert_well(proxy)


def test_a_fault_strikes_only_the_request_that_is_meant(proxy: Proxy) -> None:
    proxy.inject(Fault("cut", on=b"GET /other "))
    _assert_well(proxy)
    assert _get(proxy, "other").status == 0
    assert proxy.struck == 1


def test_a_fault_is_over_after_so_many_times(proxy: Proxy) -> None:
    proxy.inject(Fault("cut", times=2))
    for _ in range(2):
        assert _get(proxy).status == 0
    _assert_well(proxy)
    assert proxy.struck == 2


def test_a_slow_answer_is_whole(proxy: Proxy) -> None:
    proxy.inject(Fault("slow", rate=2_000_000))
    _assert_well(proxy)
    assert proxy.struck == 1


def test_a_request_is_cut_before_it_arrives(proxy: Proxy, origin: Origin) -> None:
    proxy.inject(Fault("cut", 3, side="request"))
    assert _get(proxy).status == 0
    assert origin.requests == []
