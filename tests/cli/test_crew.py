"""What the workers of one server share."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess

import pytest

from virtreg.cli.crew import Crew, Once


def _worker(crew: Crew, orders: Connection) -> None:
    """Does what it is told until it is told nothing more."""
    while True:
        name, *arguments = orders.recv()
        orders.send(getattr(crew, name)(*arguments))


class Member:
    """A worker process."""

    def __init__(self, crew: Crew, method: str = "fork") -> None:
        context: ForkContext | SpawnContext = (
            multiprocessing.get_context("spawn")
            if method == "spawn"
            else multiprocessing.get_context("fork")
        )
        self._orders, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_worker, args=(crew, theirs))
        self._process.start()
        theirs.close()

    def __call__(self, name: str, *arguments: object) -> object:
        self._orders.send((name, *arguments))
        return self._orders.recv()

    def kill(self) -> None:
        self._process.kill()
        self._process.join(20)
        self._orders.close()


def figures(requests: int, active: int = 0) -> dict[str, int]:
    return {"requests": requests, "hits": 0, "misses": 0, "bytes": 0, "active": active}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_one_says_what_is_to_be_said_once(method: str) -> None:
    crew = Crew(2)
    one, other = Member(crew, method), Member(crew, method)
    try:
        said = [one("first", Once.BANNER), other("first", Once.BANNER), one("first", Once.BANNER)]
        assert said == [True, False, False]
        one("unsaid", Once.BANNER)
        assert other("first", Once.BANNER) is True
    finally:
        one.kill()
        other.kill()


def test_another_speaks_when_the_one_who_spoke_is_killed() -> None:
    crew = Crew(2)
    one, other = Member(crew), Member(crew)
    try:
        assert one("speak") is True
        assert other("speak") is False
        one.kill()
        assert other("speak") is True
    finally:
        other.kill()


def test_the_totals_are_of_all_and_outlive_those_who_are_killed() -> None:
    crew = Crew(2)
    one, other = Member(crew), Member(crew)
    assert one("tell", figures(3, active=1)) == figures(3, active=1)
    assert other("tell", figures(4)) == figures(7, active=1)
    one.kill()
    successor = Member(crew)
    try:
        assert successor("tell", figures(0)) == figures(7)
        assert successor("tell", figures(2)) == figures(9)
        assert other("tell", figures(5)) == figures(10)
    finally:
        successor.kill()
        other.kill()


def test_whoever_finds_no_seat_knows_the_totals_of_the_others() -> None:
    crew = Crew(1)
    members = [Member(crew) for _ in range(3)]
    try:
        told = [member("tell", figures(1)) for member in members]
        assert told == [figures(1), figures(2), figures(3)]
        assert members[0]("tell", figures(1)) == figures(2)
    finally:
        for member in members:
            member.kill()
