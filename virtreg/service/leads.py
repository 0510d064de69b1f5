"""Who leads a flight for all processes of a node: whoever holds the lock of its board."""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path

from virtreg.service.arrival import Arrival
from virtreg.service.boards import Board, Stage, open_board
from virtreg.service.notices import arrival_notice, entry_notice, failure_notice
from virtreg.service.spool import Spool
from virtreg.service.works import Landed

_log = logging.getLogger(__name__)

_TRIES = 20
"""Boards that may be taken away in the moment they are opened."""


class Lead:
    """What the leader holds; watches its flight. Thread-safe."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lock = threading.Lock()
        self._arrival: Arrival | None = None
        self._over = False

    def answered(self, landed: Landed) -> None:
        """Let the other processes read what is on its way, too."""
        arrival = landed.arrival
        if arrival is None or not isinstance(arrival.spool, Spool):
            return
        spool = arrival.spool
        note = arrival_notice(
            spool.path,
            arrival.source,
            arrival.claimed,
            spool.size,
            landed.route,
            landed.expires_at,
            landed.warning,
        )
        with self._lock:
            if self._over:
                return
            self._arrival = arrival
            self._tell(Stage.ARRIVING, 0, note)
        # Outside: it calls back.
        spool.report_to(self._progress)

    def landed(self) -> None:
        with self._lock:
            if self._over:
                return
            if self._arrival is not None:
                self._tell_end(self._arrival)
            self._give_up()

    def _progress(self, visible: int, proved: bool) -> None:
        with self._lock:
            if not self._over:
                self._tell(Stage.PROVED if proved else Stage.ARRIVING, visible)

    def _tell_end(self, arrival: Arrival) -> None:
        if not arrival.entry.done():
            self._tell(Stage.LANDED, 0, b"")
            return
        error = arrival.entry.exception()
        if error is not None:
            self._tell(Stage.FAILED, 0, failure_notice(error))
            return
        entry = arrival.entry.result()
        self._tell(Stage.LANDED, entry.size, entry_notice(entry))

    def _tell(self, stage: Stage, visible: int, note: bytes | None = None) -> None:
        try:
            self._board.write(stage, visible, note)
        except OSError as error:
            # Whoever waits finds that nobody leads, and goes on without.
            _log.warning("other processes cannot be told of a download: %s", error.strerror)
            self._give_up()

    def _give_up(self) -> None:
        if self._over:
            return
        self._over = True
        with contextlib.suppress(OSError):
            self._board.path.unlink()
        self._board.close()


def take(path: Path) -> Lead | Board:
    """The lead of the flight whose board is at that path; the board to look at while another has
    it. Raises OSError."""
    for _ in range(_TRIES):
        board = open_board(path)
        try:
            if not board.lock():
                return board
            if board.usable:
                return Lead(board)
            # A dead leader's: its readers go on reading it, so it is not used again. Or it was
            # taken away between opening and locking.
            board.remove()
        except BaseException:
            board.close()
            raise
        board.close()
    raise OSError("the board of a flight is taken away again and again")


def sweep(folder: Path) -> int:
    """Remove what dead leaders left; the number of boards. Raises OSError."""
    removed = 0
    for path in folder.iterdir():
        board = open_board(path)
        try:
            if board.lock():
                board.remove()
                removed += 1
        finally:
            board.close()
    return removed
