"""When tokens were last used, written behind."""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread

from virtreg.protocols import Directory

_log = logging.getLogger(__name__)


class Uses:
    """``add`` costs a dictionary entry; a thread writes what came together ``seconds`` after the
    first of them, and ends. Nothing is lost but what a directory refuses to take before ``close``.
    Thread-safe."""

    def __init__(self, directory: Directory, seconds: float) -> None:
        self._directory = directory
        self._seconds = seconds
        self._latest: dict[str, float] = {}
        self._scheduled = False
        self._thread: Thread | None = None
        self._starting = Lock()
        self._writing = Lock()
        self._closing = Event()

    def add(self, token_id: str, at: float) -> None:
        self._latest[token_id] = at
        # After the entry: whoever reads the mark as set is sure to be written by that thread.
        if not self._scheduled:
            self._schedule()

    def flush(self) -> None:
        """Write what has been added so far; what cannot be written waits for the next time."""
        with self._writing:
            # The same dictionary for ever, or an entry could go into one that was written already.
            uses = dict(self._latest.popitem() for _ in range(len(self._latest)))
            if not uses:
                return
            try:
                self._directory.used_tokens(uses)
            except Exception:  # noqa: BLE001 - a plug-in's fault must not end the thread
                _log.warning("the last use of %d tokens was not kept", len(uses), exc_info=True)
                for token_id, at in uses.items():
                    self._latest.setdefault(token_id, at)

    def close(self) -> None:
        """Write the rest; repeatable."""
        self._closing.set()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join()
        self.flush()

    def _schedule(self) -> None:
        with self._starting:
            if not self._scheduled:
                self._scheduled = True
                self._thread = Thread(target=self._later, name="virtreg-token-uses", daemon=True)
                self._thread.start()

    def _later(self) -> None:
        self._closing.wait(self._seconds)
        self._scheduled = False
        self.flush()
