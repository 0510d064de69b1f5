"""One flight per key for all processes of a node, and where they share an index, for all nodes.

Whoever leads holds the lock of the key's board, in a folder that the processes of the node share;
the others read what the leader downloads while it does. Only leaders ask for the lease among the
nodes. Whatever of this cannot be had is done without: the worst is a download more.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable, Hashable
from hashlib import sha256
from pathlib import Path

from virtreg.correlation import CURRENT
from virtreg.service.boards import Board, Record, Stage
from virtreg.service.flight_leases import FlightLeases
from virtreg.service.flights import Flight
from virtreg.service.followed import FollowedArrival, FollowedSpool, LeaderLost, succeed
from virtreg.service.leads import Lead, sweep, take
from virtreg.service.notices import read_arrival
from virtreg.service.resolution import Resolved
from virtreg.service.watching import Watched, Watching
from virtreg.service.works import Landed, Leading

_log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds for which a leader is waited for that does nothing and has not ended: it may have been
stopped. Longer than an upstream takes to answer."""

_SHORTEST = 0.0005
_LONGEST = 0.02
"""Seconds between two looks for the leader's answer."""


class Followed(enum.Enum):
    """How it went to follow a leader."""

    JOINED = "joined"
    """Its download is read."""
    ENDED = "ended"
    """It has nothing to read, or is waited for no longer."""
    DEAD = "dead"


_LEADERS = 8
"""Leaders that may die, one after the other, before nobody is waited for any more."""


class Node:
    """The protocol ``Coordinates``. Thread-safe. ``folder`` belongs to the processes of one node;
    it is made when it is needed. ``leases``: None where no other node has the same index."""

    def __init__(
        self, folder: Path, leases: FlightLeases | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._folder = folder
        self._leases = leases
        self._patience = patience
        self._watching = Watching(patience)
        self._lock = threading.Lock()
        self._ready = False
        self._warned = False
        self._distrusted: dict[str, int] = {}
        """Boards of leaders that did nothing for too long, by name."""

    def lead(
        self,
        key: Hashable,
        flight: Flight[Landed],
        lead: Leading,
        again: Callable[[], Resolved],
    ) -> None:
        name = sha256(repr(key).encode(errors="backslashreplace")).hexdigest()
        for _ in range(_LEADERS):
            found = self._take(name)
            if isinstance(found, Board):
                followed = self._follow(name, found, flight, again)
                if followed is Followed.JOINED:
                    return
                if followed is Followed.DEAD:
                    continue
                # What it has brought is in the index, or is for everybody to find out.
                found = self._take(name, waiting=False)
                if isinstance(found, Lead):
                    flight.watch(found)
            elif found is not None:
                flight.watch(found)
                lease = None if self._leases is None else self._leases.take(key)
                if lease is not None:
                    flight.watch(lease)
            break
        lead(flight)

    def close(self) -> None:
        """Follow nobody any more, and give every lease back."""
        self._watching.close()
        if self._leases is not None:
            self._leases.close()

    def _take(self, name: str, *, waiting: bool = True) -> Lead | Board | None:
        """The lead, or the board of who has it; None where that cannot be told, or with
        ``waiting`` off another has it."""
        try:
            if not self._ready:
                self._make_ready()
            found = take(self._folder / name)
            if isinstance(found, Lead):
                self._distrusted.pop(name, None)
            elif not waiting or found.identity == self._distrusted.get(name):
                found.close()
                return None
        except OSError as error:
            if not self._warned:
                self._warned = True
                _log.warning(
                    "processes of this node cannot share downloads: %s: %s",
                    self._folder,
                    error.strerror or error,
                )
            self._ready = False
            return None
        return found

    def _make_ready(self) -> None:
        with self._lock:
            if not self._ready:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                sweep(self._folder)
                self._ready = True

    def _follow(
        self, name: str, board: Board, flight: Flight[Landed], again: Callable[[], Resolved]
    ) -> Followed:
        """Wait for what the leader says, and read with it; the board is closed in the end."""
        joined = False
        try:
            record = _await(board, lambda record: record.stage is not Stage.ASKING, self._patience)
            if record is not None and not record.over and record.stage is not Stage.ASKING:
                joined = self._join(name, board, record, flight, again)
                if joined:
                    return Followed.JOINED
                # It is being published in this moment.
                record = _await(board, lambda record: record.over, self._patience)
            if record is None:
                self._distrusted[name] = board.identity
                return Followed.ENDED
        except (OSError, ValueError, RuntimeError) as error:
            # RuntimeError: no thread can be started.
            _log.warning("a download of another process cannot be followed: %s", error)
            return Followed.ENDED
        finally:
            if not joined:
                board.close()
        return Followed.ENDED if record.over else Followed.DEAD

    def _join(
        self,
        name: str,
        board: Board,
        record: Record,
        flight: Flight[Landed],
        again: Callable[[], Resolved],
    ) -> bool:
        """Whether the file that the leader writes could be opened."""
        notice = read_arrival(board.note(record))
        try:
            spool = FollowedSpool(notice)
        except FileNotFoundError:
            return False
        arrival = FollowedArrival(notice.source, notice.claimed, spool=spool, again=again)

        correlation = CURRENT.get()

        def succession() -> None:
            # Nothing else of the first reader's request: it may have ended by then.
            CURRENT.set(correlation)
            succeed(arrival, again)

        def lost(*, stalled: bool) -> None:
            if stalled:
                self._distrusted[name] = board.identity
            thread = threading.Thread(target=succession, name="virtreg-succession", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                arrival.entry.set_exception(LeaderLost("no thread can be started", retry_after=1))

        try:
            self._watching.add(Watched(board, arrival, flight.land, lost))
        except BaseException:
            spool.close()
            raise
        flight.answer(
            Landed(
                "joined",
                notice.expires_at,
                arrival=arrival,
                route=notice.route,
                warning=notice.warning,
            )
        )
        return True


def _await(board: Board, reached: Callable[[Record], bool], patience: float) -> Record | None:
    """The first record that is so, or the last one when nobody leads any more; None when neither
    comes."""
    until = time.monotonic() + patience
    pause = _SHORTEST
    while True:
        record = board.read()
        if reached(record):
            return record
        if board.lock():
            return _left(board)
        if time.monotonic() >= until:
            return None
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)


def _left(board: Board) -> Record:
    """What a leader has left that holds its board no more."""
    record = board.read()
    if record.stage is Stage.ASKING and not board.linked:
        # It ended in good order, without anything that takes long.
        return Record(Stage.LANDED)
    return record
