"""Copies, on a node's own disk, of what a remote store holds and is pulled here.

A blob is read from the remote store once, whole, while its readers follow the file that it is
written to; from then on it is a local file. What was put here is a copy at once. Nothing is known
here that is not known there: the remote store alone says what is held.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from virtreg.core.layout import sha256_of
from virtreg.errors import Missing, StorageError
from virtreg.protocols import (
    Body,
    CacheStore,
    Notes,
    OpensKnown,
    Presigns,
    Reclaims,
    Spools,
    TellsHealth,
)
from virtreg.service.copying import SMALL, CopiedBody, Fill
from virtreg.service.space import Space

_log = logging.getLogger(__name__)

_PART: Final = 8
"""A blob that takes more than this part of the budget is not copied."""

_FILLS: Final = 64
"""Copies on their way at a time; who wants more reads the remote store itself."""

_PAUSE: Final = 30.0
"""Seconds for which no copy is begun after the disk did not take one."""

_CLOSING: Final = 2.0
"""Seconds that an end waits for a copy on its way to notice."""

_TOUCHED: Final = 600.0
"""Seconds within which a second use of a copy is not noted."""

_MOST_TOUCHED: Final = 50_000


@runtime_checkable
class Remote(CacheStore, OpensKnown, Reclaims, Notes, TellsHealth, Presigns, Protocol):
    """What there are copies of. A whole read of a body that ``open_known`` gives is proved."""


class Copies(CacheStore, Reclaims, Spools, Protocol):
    """Where copies are: a folder that the processes of a node may share."""

    def touch(self, key: str) -> None:
        """Renew a blob's ``modified_at``; no error when absent."""
        ...


class NearbyStore:
    """A CacheStore with the powers of its remote one. Thread-safe; ``close`` once.

    ``open`` asks the remote store, as whoever checks it needs; ``open_known`` gives a local file
    where there is one, with the power HasFile, else a body with the power Defers. A body that is
    read to its end from its start is proved; a part of one that is still on its way is not. Where
    the disk does not take a copy, and where ``room`` says so for a number of bytes, the remote
    store is read past it. ``budget``: bytes that copies may take, exceeded by no more than a
    sixteenth and what arrives while it is seen to. Each process of a node copies for itself what
    several want at the same time. ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        remote: Remote,
        local: Copies,
        budget: int,
        clock: Callable[[], float],
        room: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self._remote = remote
        self._local = local
        self._most = budget // _PART
        self._clock = clock
        self._room = room
        self._space = Space(local, budget)
        self._lock = threading.Lock()
        self._fills: dict[str, Fill] = {}
        self._threads: set[threading.Thread] = set()
        self._touched: dict[str, float] = {}
        self._refused_until = float("-inf")
        self._hits = 0
        self._made = 0
        self._past = 0

    def __repr__(self) -> str:
        return f"NearbyStore({self._remote!r})"

    def open(self, key: str) -> Body:
        return self._remote.open(key)

    def open_known(self, key: str, size: int) -> Body:
        if sha256_of(key) is None:
            raise StorageError(f"not a blob key: {key!r}")
        body = self._copy(key, size)
        if body is not None:
            self._hits += 1
            return body
        if size > self._most:
            self._past += 1
            return self._remote.open_known(key, size)
        fill = self._fills.get(key)
        if (fill is None or fill.failed) and not self._remote.available():
            # Says at once what the first read would say.
            return self._remote.open_known(key, size)
        return CopiedBody(self, key, size)

    def put(self, key: str, content: Path | bytes) -> None:
        size = len(content) if isinstance(content, bytes) else _size(content)
        self._remote.put(key, content)
        if size <= self._most and (isinstance(content, Path) or self._room(size)):
            self._keep(key, content, size)

    def delete(self, key: str) -> None:
        self._remote.delete(key)
        self._local.delete(key)

    def reclaim(self, key: str, before: float) -> int | None:
        size = self._remote.reclaim(key, before)
        if size is not None:
            self._local.delete(key)
        return size

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        return self._remote.list(prefix)

    def available(self) -> bool:
        return self._remote.available()

    def presign(self, key: str, size: int, media_type: str, seconds: int) -> str | None:
        return self._remote.presign(key, size, media_type, seconds)

    def write_note(self, name: str, content: bytes) -> None:
        self._remote.write_note(name, content)

    def read_note(self, name: str) -> bytes:
        return self._remote.read_note(name)

    def notes(self) -> Sequence[str]:
        return self._remote.notes()

    def remove_note(self, name: str) -> None:
        self._remote.remove_note(name)

    def totals(self) -> Mapping[str, int]:
        """Since the start: ``hits``, bodies opened that were here; ``copies`` that were
        made; ``past``, bodies too large to be copied."""
        return {"hits": self._hits, "copies": self._made, "past": self._past}

    def settle(self) -> None:
        """Wait until what is on its way is here, and within the budget."""
        while True:
            with self._lock:
                threads = list(self._threads)
            if not threads:
                break
            for thread in threads:
                thread.join()
        self._space.settle()

    def close(self) -> None:
        """End what is on its way; its readers go on with the remote store."""
        with self._lock:
            fills, threads = list(self._fills.values()), list(self._threads)
        for fill in fills:
            fill.stop()
        for thread in threads:
            thread.join(_CLOSING)
        self._space.close()

    # What its bodies ask of it, as the protocol Copier has it.

    def begin(self, key: str, size: int) -> Body | None:
        while True:
            body = self._copy(key, size)
            if body is not None:
                return body
            fill = self._fill(key, size)
            if fill is None:
                return None
            with suppress(Missing):  # It has ended in this moment: is it here?
                return fill.reader()

    def straight(self, key: str, size: int) -> Body:
        return self._remote.open_known(key, size)

    def keep(self, key: str, content: bytes) -> None:
        if self._room(len(content)):
            self._keep(key, content, len(content))

    def _keep(self, key: str, content: Path | bytes, size: int) -> None:
        try:
            self._local.put(key, content)
        except StorageError as error:
            _log.info("no copy of %s is kept here: %s", key, error.message)
            return
        self._made += 1
        self._space.taken(size)

    def _copy(self, key: str, size: int) -> Body | None:
        try:
            body = self._local.open(key)
        except Missing:
            return None
        except StorageError as error:
            _log.warning("a copy cannot be read: %s", error.message)
            return None
        if body.size != size:
            body.close()
            with suppress(StorageError):
                self._local.delete(key)
            return None
        self._note_use(key)
        return body

    def _fill(self, key: str, size: int) -> Fill | None:
        with self._lock:
            fill = self._fills.get(key)
            if fill is not None and not fill.failed:
                return fill
            if size <= SMALL or len(self._fills) >= _FILLS or not self._takes(size):
                return None
            try:
                path = self._local.spool() / f"{uuid.uuid4().hex}.copy"
                fill = Fill(path, size, lambda: self._remote.open_known(key, size))
            except (StorageError, OSError) as error:
                _log.info("no copy of %s is made here: %s", key, type(error).__name__)
                return None
            thread = threading.Thread(
                target=self._run, args=(key, size, fill), name="virtreg-nearby", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # No thread can be had.
                fill.close()
                return None
            self._threads.add(thread)
            self._fills[key] = fill
        return fill

    def _run(self, key: str, size: int, fill: Fill) -> None:
        try:
            if fill.run():
                self._keep(key, fill.path, size)
            elif fill.refused:
                self._refused_until = self._clock() + _PAUSE
        finally:
            with self._lock:
                if self._fills.get(key) is fill:
                    del self._fills[key]
                self._threads.discard(threading.current_thread())
            fill.close()

    def _takes(self, size: int) -> bool:
        return self._clock() >= self._refused_until and self._room(size)

    def _note_use(self, key: str) -> None:
        now = self._clock()
        if 0 <= now - self._touched.get(key, float("-inf")) < _TOUCHED:
            return
        if len(self._touched) > _MOST_TOUCHED:
            self._touched.clear()
        self._touched[key] = now
        with suppress(StorageError):
            self._local.touch(key)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise StorageError(f"cannot put: {error.strerror}") from error
