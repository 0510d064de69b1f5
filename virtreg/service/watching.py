"""Watching the boards of flights that other processes lead, on one thread of this process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from attrs import define, field

from virtreg.errors import SpoolFull, UpstreamUnavailable, VirtregError
from virtreg.service.boards import Board, Record, Stage
from virtreg.service.followed import FollowedArrival, FollowedSpool, LeaderLost
from virtreg.service.notices import read_entry, read_failure

_log = logging.getLogger(__name__)

_SHORTEST = 0.001
_LONGEST = 0.02
"""Seconds between two looks: the next comes soon while a download moves."""

_LIVENESS = 0.1
"""Seconds between two looks at whether anybody leads."""


class Lost(Protocol):
    def __call__(self, *, stalled: bool) -> None:
        """``stalled``: somebody holds the board who does nothing."""
        ...


@define(eq=False)
class Watched:
    """One flight that is followed."""

    board: Board
    arrival: FollowedArrival
    land: Callable[[], None]
    """Ends the flight of this process."""
    lost: Lost
    """Is told when nobody leads any more, before the readers are."""
    record: Record = field(factory=Record)
    moved_at: float = 0.0
    looked_at: float = 0.0

    @property
    def spool(self) -> FollowedSpool:
        assert isinstance(self.arrival.spool, FollowedSpool)
        return self.arrival.spool


class Watching:
    """Thread-safe. The thread starts with the first flight and rests while there is none.

    ``patience``: seconds without a byte after which a leader that holds its lock is as good as
    dead.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._changed = threading.Condition()
        self._new: list[Watched] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, watched: Watched) -> None:
        watched.moved_at = time.monotonic()
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="virtreg-following", daemon=True)
                thread.start()
                self._thread = thread
            self._new.append(watched)
            self._changed.notify()

    def close(self) -> None:
        """Give up what is followed: its readers are told that nobody leads any more."""
        with self._changed:
            self._closed = True
            thread = self._thread
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        watched: list[Watched] = []
        pause = _SHORTEST
        while True:
            with self._changed:
                if not watched:
                    while not self._new and not self._closed:
                        self._changed.wait()
                elif not self._new and not self._closed:
                    self._changed.wait(pause)
                watched += self._new
                self._new.clear()
                closed = self._closed
            if closed:
                for each in watched:
                    _fail(each, UpstreamUnavailable("the server is stopping"))
                return
            now = time.monotonic()
            before = [each.record for each in watched]
            watched = [each for each in watched if not self._ended(each, now)]
            moved = before != [each.record for each in watched]
            pause = _SHORTEST if moved else min(pause * 2, _LONGEST)

    def _ended(self, watched: Watched, now: float) -> bool:
        """Tell the readers what is new; whether that was the last there is to tell."""
        try:
            return self._look(watched, now)
        except Exception:  # noqa: BLE001 - one that cannot be read must not stop the others
            _log.warning("a download of another process cannot be followed", exc_info=True)
            _lose(watched)
            return True

    def _look(self, watched: Watched, now: float) -> bool:
        record = watched.board.read()
        if record == watched.record:
            arriving = record.stage is Stage.ARRIVING
            if arriving and now - watched.moved_at > self._patience:
                _lose(watched, stalled=True)
                return True
            if now - watched.looked_at < _LIVENESS:
                return False
            watched.looked_at = now
            if not watched.board.lock():
                return False
            # Nobody writes it any more.
            record = watched.board.read()
            if not record.over:
                watched.board.remove()
                _lose(watched)
                return True
        watched.record, watched.moved_at = record, now
        _apply(watched, record)
        return record.over


def _apply(watched: Watched, record: Record) -> None:
    if record.stage is Stage.ARRIVING:
        watched.spool.advance(record.visible)
    elif record.stage is Stage.PROVED:
        watched.spool.prove(record.visible)
    elif record.stage is Stage.LANDED:
        entry = read_entry(watched.board.note(record))
        watched.spool.prove(entry.size)
        watched.arrival.entry.set_result(entry)
        _end(watched)
    elif record.stage is Stage.FAILED:
        error = read_failure(watched.board.note(record))
        if isinstance(error, SpoolFull):
            # The leader's own readers go on past the disk, and so can these.
            _lose(watched)
        else:
            _fail(watched, error)


def _fail(watched: Watched, error: VirtregError) -> None:
    watched.arrival.entry.set_exception(error)
    # Whoever tries again at once finds nothing of it any more.
    watched.land()
    watched.spool.fail(error)
    _end(watched)


def _lose(watched: Watched, *, stalled: bool = False) -> None:
    watched.land()
    watched.lost(stalled=stalled)
    if watched.record.stage is not Stage.PROVED:
        watched.spool.fail(LeaderLost("the process that downloaded it has ended", retry_after=1))
    _end(watched)


def _end(watched: Watched) -> None:
    watched.land()
    watched.spool.close()
    watched.board.close()
