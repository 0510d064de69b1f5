"""Making verified bodies visible: blob first, then the index row, then nobody waits any more.

Small bodies are published by one thread of their own, in batches, so that their first client does
not wait for the disk and a build that brings hundreds of files costs few transactions.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

from virtreg.core.layout import blob_key
from virtreg.errors import NoRoom, StoreUnavailable, VirtregError
from virtreg.model import Entry
from virtreg.protocols import CacheStore, EntryIndex, TellsHealth
from virtreg.service.room import Room

_log = logging.getLogger(__name__)
_WAITING = 128
_BATCH = 128
_ABREAST = 8
"""Small bodies that are put at the same time where a put is a journey; on a disk it is not worth
it."""
_LONGEST_WAIT = 5.0
"""Seconds for which a request waits until its body may wait."""
_SMALL = 256 * 1024
"""Bytes of a body that may wait. A larger one costs its client more time than the disk does."""


@frozen
class _Publication:
    entry: Entry
    also: Sequence[Entry]
    content: bytes
    done: Callable[[VirtregError | None], None]


class Publisher:
    """Thread-safe. ``later`` blocks while more than some hundred bodies wait, and lets no large one
    wait at all, which bounds their memory; ``close`` publishes what waits and stops the thread.

    What there is no ``room`` for is not published, and NoRoom is raised or told: whoever asked for
    it has it all the same. So it is with what would wait for long, and, as StoreUnavailable, while
    the store says that it cannot be used: then it is not even tried."""

    def __init__(self, store: CacheStore, index: EntryIndex, room: Room | None = None) -> None:
        self._store = store
        self._index = index
        self._room = room
        self._queue: queue.Queue[_Publication | None] = queue.Queue(_WAITING)
        self._abreast = (
            ThreadPoolExecutor(_ABREAST, "virtreg-put") if isinstance(store, TellsHealth) else None
        )
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def now(self, entry: Entry, content: Path | bytes, also: Sequence[Entry] = ()) -> None:
        """Publish on this thread; ``also`` are further entries of the same bytes. Raises
        VirtregError, whatever a plug-in raised."""
        self._require_room(entry)
        try:
            self._put(entry, content)
            self._index.put([entry, *also])
        except VirtregError:
            raise
        except Exception as error:
            raise _wrapped(error) from error

    def later(
        self,
        entry: Entry,
        content: bytes,
        done: Callable[[VirtregError | None], None],
        also: Sequence[Entry] = (),
    ) -> None:
        """Publish soon, ``also`` as in ``now``; ``done`` is called with what went wrong: on the
        publishing thread, or for a large body or one that is not kept on this one."""
        try:
            self._require_room(entry)
        except NoRoom as error:
            done(error)
            return
        publication = _Publication(entry, also, content, done)
        if len(content) > _SMALL:
            self._publish([publication])
            return
        with self._starting:
            if self._thread is None and not self._closed:
                thread = threading.Thread(target=self._run, name="virtreg-publisher", daemon=True)
                thread.start()
                # Only now: one that could not be started is tried again.
                self._thread = thread
        try:
            self._queue.put(publication, timeout=_LONGEST_WAIT)
        except queue.Full:
            done(NoRoom("too much else waits to be kept"))

    @property
    def waiting(self) -> int:
        """Bodies that wait to be published, roughly."""
        return self._queue.qsize()

    def settle(self) -> None:
        """Wait until all that waits now is published."""
        self._queue.join()

    def close(self) -> None:
        with self._starting:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()
        if self._abreast is not None:
            self._abreast.shutdown()

    def _put(self, entry: Entry, content: Path | bytes) -> None:
        if isinstance(self._store, TellsHealth) and not self._store.available():
            raise StoreUnavailable("the store cannot be used for now")
        self._store.put(blob_key(entry.sha256), content)

    def _require_room(self, entry: Entry) -> None:
        if self._room is not None and not self._room.allows(entry.source, entry.size):
            raise NoRoom("there is no room for it")

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                self._queue.task_done()
                return
            batch, last = [first], False
            while len(batch) < _BATCH and not self._queue.empty():
                another = self._queue.get()
                if another is None:
                    last = True
                    break
                batch.append(another)
            self._publish(batch)
            for _ in range(len(batch) + last):
                self._queue.task_done()
            if last:
                return

    def _publish(self, batch: list[_Publication]) -> None:
        stored: list[_Publication] = []
        put = map if self._abreast is None or len(batch) == 1 else self._abreast.map
        for publication, error in zip(batch, put(self._attempt, batch), strict=True):
            if error is None:
                stored.append(publication)
            else:
                self._done(publication, error)
        failure: Exception | None = None
        try:
            self._index.put([entry for one in stored for entry in (one.entry, *one.also)])
        except Exception as error:  # noqa: BLE001 - told to whoever asked for the publication
            failure = error
        for publication in stored:
            self._done(publication, failure)

    def _attempt(self, publication: _Publication) -> Exception | None:
        try:
            self._put(publication.entry, publication.content)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one failure
            return error
        return None

    @staticmethod
    def _done(publication: _Publication, error: Exception | None) -> None:
        if error is not None and not isinstance(error, VirtregError):
            error = _wrapped(error)
        publication.done(error)


def _wrapped(error: Exception) -> VirtregError:
    """A store or an index broke its contract: its own words are for the log only."""
    _log.error("publishing failed", exc_info=error)
    return VirtregError(f"publishing failed: {type(error).__name__}")
