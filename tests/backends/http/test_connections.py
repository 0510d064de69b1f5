"""Connections: kept, counted, replaced, never shared with a forked process."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from tests.backends.http.peers import fetched, get, upstream
from virtreg.backends.http.deadline import Deadline
from virtreg.backends.http.guard import Dialer, GuardedHTTPConnection
from virtreg.backends.http.pool import Pool
from virtreg.core.egress import EgressPolicy
from virtreg.errors import UpstreamBusy, UpstreamUnavailable
from virtreg.model import Fetch
from virtreg.testing.fakes import FakeClock
from virtreg.testing.origin import Gate, Origin


def connections(origin: Origin) -> int:
    return len({seen.connection for seen in origin.requests})


@pytest.mark.parametrize("chunked", [False, True])
def test_absent_answers_keep_the_connection_unread(chunked: bool) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("gone", b"x" * 5000, status=404, chunked=chunked)
        for _ in range(5):
            with fetched(up, "gone") as reply:
                assert reply.status == 404
        assert connections(origin) == 1


def test_a_long_unread_body_costs_the_connection() -> None:
    with Origin({"a": b"x" * 10_000_000}) as origin, upstream(origin.url) as up:
        for _ in range(2):
            with fetched(up, "a") as reply:
                reply.read(1)
        assert connections(origin) == 2


def test_a_short_rest_that_does_not_come_is_not_waited_for() -> None:
    with Origin({"b": b"y"}) as origin, upstream(origin.url, read_timeout=30) as up:
        origin.put("a", b"x" * 5000, stall_after=100)
        with fetched(up, "a") as reply:
            assert reply.read(10) == b"x" * 10
        assert get(up, "b") == (200, b"y")
        assert connections(origin) == 2


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.url) as up:
        origin.put("b", b"y", silent=True, only_times=1)
        assert get(up, "a") == (200, b"x")
        assert get(up, "b") == (200, b"y")
        assert origin.count("b") == 2


def test_a_new_connection_that_closes_is_not_asked_again() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("b", b"y", silent=True)
        with pytest.raises(UpstreamUnavailable, match="no answer"):
            up.fetch(Fetch("b"))
        assert origin.count("b") == 1


def test_a_replacement_that_closes_too_is_an_error() -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.url) as up:
        origin.put("b", b"y", silent=True)
        get(up, "a")
        with pytest.raises(UpstreamUnavailable, match="no answer"):
            up.fetch(Fetch("b"))
        assert origin.count("b") == 2


def test_a_connection_the_server_hung_up_is_noticed_before_asking() -> None:
    with Origin({"b": b"y"}) as origin, upstream(origin.url) as up:
        origin.put("a", b"x", close=True)
        for _ in range(3):
            assert get(up, "a") == (200, b"x")
        assert get(up, "b") == (200, b"y")


def test_no_more_than_the_allowed_connections_at_once() -> None:
    settings = {"max_connections": 2, "read_timeout": 0.2}
    with Origin({"a": b"x"}) as origin, upstream(origin.url, **settings) as up:
        first, second = up.fetch(Fetch("a")), up.fetch(Fetch("a"))
        with pytest.raises(UpstreamBusy, match="all 2 connections busy"):
            up.fetch(Fetch("a"))
        first.close()
        assert get(up, "a") == (200, b"x")
        second.close()


def test_long_bodies_leave_connections_to_short_ones() -> None:
    settings = {"max_connections": 4, "read_timeout": 0.2}
    with Origin({"a": b"x"}) as origin, upstream(origin.url, **settings) as up:
        long = [up.fetch(Fetch("a", bulk=True)) for _ in range(3)]
        with pytest.raises(UpstreamBusy):
            up.fetch(Fetch("a", bulk=True))
        assert get(up, "a") == (200, b"x")
        long.pop().close()
        long.append(up.fetch(Fetch("a", bulk=True)))
        short = up.fetch(Fetch("a"))
        with pytest.raises(UpstreamBusy):
            up.fetch(Fetch("a"))
        for reply in (*long, short):
            reply.close()
        for _ in range(5):
            with fetched(up, "a") as reply:
                assert reply.read(1) == b"x"


def test_a_waiting_fetch_goes_on_when_a_reply_is_closed() -> None:
    gate = Gate()
    with Origin({"b": b"y"}) as origin, upstream(origin.url, max_connections=1) as up:
        origin.put("a", b"x", hold=gate)
        holder = threading.Thread(target=get, args=(up, "a"))
        holder.start()
        gate.await_arrival()
        waiter = threading.Thread(target=get, args=(up, "b"))
        waiter.start()
        assert origin.count("b") == 0
        gate.release()
        holder.join()
        waiter.join()
        assert origin.count("b") == 1


def test_failures_give_their_slot_back() -> None:
    with Origin() as origin, upstream(origin.url, max_connections=1) as up:
        origin.put("a", status=500)
        origin.put("b", silent=True)
        origin.put("c", redirect="http://169.254.169.254/")
        origin.put("d", b"x", headers={"Content-Length": "nonsense"})
        for path in "abcd" * 2:
            with pytest.raises(Exception, match="upstream 'up'"):
                up.fetch(Fetch(path))
        assert get(up, "e")[0] == 404


def test_a_refused_connection_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        upstream(f"http://127.0.0.1:{port}") as up,
        pytest.raises(UpstreamUnavailable, match=f"127.0.0.1 port {port}: connection refused"),
    ):
        up.fetch(Fetch("a"))


def test_a_name_without_an_address_says_so() -> None:
    with pytest.raises(UpstreamUnavailable, match="does not resolve"):
        Dialer("up", EgressPolicy()).dial("a" * 64, 80, 1)


def test_a_closed_upstream_does_not_fetch() -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.url) as up:
        open_reply = up.fetch(Fetch("a"))
        up.close()
        with pytest.raises(UpstreamUnavailable, match="closed"):
            up.fetch(Fetch("a"))
        assert open_reply.read(10) == b"x"
        open_reply.close()


def test_a_connection_idle_for_long_is_not_trusted_again() -> None:
    clock = FakeClock()
    pool = Pool(2, clock)
    with Origin() as origin:
        key = ("http", "127.0.0.1", origin.port)
        made = [connected(origin) for _ in range(2)]
        pool.keep(key, made[0])
        clock.advance(20)
        pool.keep(key, made[1])
        clock.advance(20)
        assert pool.take(("http", "other", origin.port)) is None
        assert pool.take(key) is made[1]
        assert pool.take(key) is None
        assert made[0].is_closed
        made[1].close()


def test_the_connections_idle_longest_make_room() -> None:
    pool = Pool(1)
    with Origin() as origin:
        key = ("http", "127.0.0.1", origin.port)
        made = [connected(origin) for _ in range(3)]
        pool.keep(key, made[0])
        pool.keep(key, made[1])
        assert [one.is_closed for one in made] == [True, False, False]
        pool.close()
        pool.keep(key, made[2])
        assert all(one.is_closed for one in made)


def connected(origin: Origin) -> GuardedHTTPConnection:
    connection = GuardedHTTPConnection("127.0.0.1", origin.port)
    connection.dialer = Dialer("up", None)
    connection.deadline = Deadline(5, 5)
    connection.connect()
    return connection


FORK = """
import os, sys
from virtreg.backends.http import HttpUpstream
from virtreg.model import Fetch, UpstreamSpec

up = HttpUpstream(UpstreamSpec("up", sys.argv[1], allow_private=("127.0.0.0/8",)))

def get():
    reply = up.fetch(Fetch("a"))
    assert reply.read(9) == b"x"
    reply.close()

get()
held = up.fetch(Fetch("a"))
child = os.fork()
get()
get()
if child == 0:
    up.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert held.read(9) == b"x"
held.close()
get()
up.close()
"""


def test_a_forked_child_opens_its_own_connections() -> None:
    with Origin({"a": b"x"}) as origin:
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", FORK, origin.url],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert connections(origin) == 3
