from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.backends.auth.people import People
from virtreg.backends.auth.uses import Uses
from virtreg.errors import StorageError
from virtreg.testing.memory import MemoryDirectory


class Told(MemoryDirectory):
    """A directory that says when it was told of uses, and may refuse to take them."""

    def __init__(self) -> None:
        super().__init__()
        self.told = Event()
        self.full = False

    def used_tokens(self, uses: Mapping[str, float]) -> None:
        if self.full:
            raise StorageError("the disk is full")
        super().used_tokens(uses)
        self.told.set()


@pytest.fixture
def directory() -> Told:
    directory = Told()
    people = People(directory)
    for _ in range(8):
        people.token()
    return directory


def last(directory: MemoryDirectory, token_id: str = "t1") -> float | None:
    token = directory.token_by_id(token_id)
    assert token is not None
    return token.last_used_at


def test_uses_are_written_without_anybody_asking_for_it(directory: Told) -> None:
    uses = Uses(directory, 0)
    for at in (5.0, 6.0):
        directory.told.clear()
        uses.add("t1", at)
        assert directory.told.wait(60)
        assert last(directory) == at
    uses.close()


def test_uses_come_together_first(directory: Told) -> None:
    uses = Uses(directory, 3600)
    for at in (5.0, 6.0, 7.0):
        uses.add("t1", at)
    uses.add("t2", 8.0)
    assert last(directory) is None
    uses.close()
    assert (last(directory), last(directory, "t2")) == (7.0, 8.0)
    uses.close()


def test_a_use_of_after_the_end_is_written_at_once(directory: Told) -> None:
    uses = Uses(directory, 3600)
    uses.close()
    uses.add("t1", 5.0)
    assert directory.told.wait(60)
    uses.close()
    assert last(directory) == 5.0


def test_what_cannot_be_written_is_told_and_kept_for_later(
    directory: Told, caplog: pytest.LogCaptureFixture
) -> None:
    uses = Uses(directory, 3600)
    uses.add("t1", 5.0)
    directory.full = True
    with caplog.at_level(logging.WARNING, "virtreg"):
        uses.flush()
    assert "the last use of 1 tokens was not kept" in caplog.text
    directory.full = False
    uses.close()
    assert last(directory) == 5.0


def test_of_many_threads_no_use_is_lost(directory: Told) -> None:
    uses = Uses(directory, 0)

    def use(thread: int) -> None:
        for at in range(1, 101):
            uses.add(f"t{thread}", float(at))

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(use, thread) for thread in range(1, 9)]:
            future.result(60)
    uses.close()
    assert [last(directory, f"t{thread}") for thread in range(1, 9)] == [100.0] * 8
