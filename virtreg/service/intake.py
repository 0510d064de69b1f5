"""Receiving one upstream body: bounded, examined, digested, compared, and only then published.

Small bodies are read whole before anybody gets a byte: a lie in them becomes a clean error. Large
ones are spooled by a thread of their own, which no client can slow down or stop, while readers
follow the spool.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import InvalidStateError
from contextlib import suppress
from pathlib import Path

from virtreg.correlation import carried
from virtreg.errors import (
    IntegrityError,
    SpoolFull,
    StorageError,
    VirtregError,
)
from virtreg.model import Algorithm, Digests, Entry, Representation
from virtreg.protocols import Reply
from virtreg.service.arrival import Arrival, representation_of
from virtreg.service.beginning import Begun, begin
from virtreg.service.digesting import compare, digest, kept
from virtreg.service.exchange import Exchange, Reading
from virtreg.service.leaping import Berths, joint_of, leap_of
from virtreg.service.passing import Passing
from virtreg.service.spool import Spool
from virtreg.service.transfer import Transfer

SETTLED = 256 * 1024
"""Bodies up to this size are read whole, in memory, before they are answered."""

_log = logging.getLogger(__name__)

LEFT_FREE = 16 * 1024 * 1024
"""Bytes that no download takes of the disk: databases and logs need some, too."""


def free_in(folder: Path) -> int:
    """Bytes of its disk. Raises OSError."""
    return shutil.disk_usage(folder).free


class Intake:
    """Turns replies into arrivals. Thread-safe; one for all registries of a process.

    Large bodies wait in ``folder``. Where there is no room for one, ``free`` being the bytes left,
    it passes through to each of its readers, and is not kept.
    """

    def __init__(
        self,
        folder: Callable[[], Path],
        clock: Callable[[], float],
        free: Callable[[Path], int] = free_in,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._free = free
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._transfers: set[Transfer] = set()
        self._berths = Berths()

    @property
    def active(self) -> int:
        """Large downloads running now."""
        return len(self._transfers)

    def receive(self, exchange: Exchange, reply: Reply, keep: Callable[[Arrival], None]) -> Arrival:
        """Take the reply over, closing it in any case, and answer as soon as a client can be.

        ``keep`` is called once per arrival, when its ``entry`` is set or failed: for a small body
        on this thread before it returns, for a large one later on the transfer's thread; not for
        one that passes through, of which nothing is kept. Raises
        IntegrityError when the body cannot be what was asked for, UpstreamError when it broke off
        for good.
        """
        reading = Reading(reply)
        try:
            begun, whole = begin(exchange, reading, SETTLED, self._closing)
            if whole is not None:
                return self._settled(exchange, reading.reply, whole, begun, keep)
        except BaseException:
            reading.reply.close()
            raise
        return self._start(exchange, reading, begun, keep)

    def read(self, exchange: Exchange, reply: Reply) -> tuple[bytes, Entry]:
        """Take the reply over and read it whole, for documents that are worked on in memory.

        Raises as ``receive`` does, and IntegrityError beyond the expectation's ``max_bytes``.
        """
        limit = exchange.expectation.max_bytes or SETTLED
        reading = Reading(reply)
        try:
            begun, data = begin(exchange, reading, limit, self._closing)
        finally:
            reading.reply.close()
        if data is None:
            raise IntegrityError(
                f"{exchange.name} sends more than the {limit} bytes that are taken",
                upstream=exchange.name,
            )
        digests = digest([data], Algorithm)
        compare(digests, begun.claims.wait(), exchange.name)
        return data, self._entry(exchange, begun.headers, len(data), digests)

    def close(self, grace: float) -> None:
        """Let running downloads end for up to ``grace`` seconds, then give up those that are
        left: their files go, and their threads end with the next bytes or the next silence."""
        with self._lock:
            running = list(self._transfers)
        deadline = time.monotonic() + grace
        for transfer in running:
            transfer.thread.join(max(0.0, deadline - time.monotonic()))
        self._closing.set()
        for transfer in running:
            transfer.discard()

    def _settled(
        self,
        exchange: Exchange,
        reply: Reply,
        data: bytes,
        begun: Begun,
        keep: Callable[[Arrival], None],
    ) -> Arrival:
        reply.close()
        claims = begun.claims.wait()
        digests = digest([data], kept(exchange.expectation, claims))
        compare(digests, claims, exchange.name)
        entry = self._entry(exchange, begun.headers, len(data), digests)
        arrival = Arrival(entry.source, representation_of(entry), data=data)
        arrival.entry.set_result(entry)
        keep(arrival)
        return arrival

    def _start(
        self,
        exchange: Exchange,
        reading: Reading,
        begun: Begun,
        keep: Callable[[Arrival], None],
    ) -> Arrival:
        arrival = Arrival(
            exchange.upstream.spec.key,
            Representation(
                reading.reply.length,
                begun.claims.known,
                begun.headers.get("content-type"),
                begun.headers.get("last-modified"),
            ),
            ahead=leap_of(exchange, begun.headers, reading.reply.length, self._berths),
        )

        def passed(size: int, digests: Digests) -> None:
            with suppress(InvalidStateError):
                arrival.entry.set_result(self._entry(exchange, begun.headers, size, digests))

        arrival.passing = passing = Passing(
            exchange,
            reading.reply.length,
            joint_of(exchange.route, begun.headers),
            begun.claims,
            self._closing,
            passed,
        )
        try:
            spool = self._spool(reading.reply.length)
        except StorageError as error:
            _log.warning("a download is passed through and not kept: %s", error.message)
            passing.begin(reading)
            return arrival
        except BaseException:
            reading.reply.close()
            raise
        arrival.spool, path = spool, spool.path
        transfer = Transfer(exchange, reading, spool, begun.claims, self._closing)

        def failed(error: VirtregError) -> None:
            arrival.entry.set_exception(error)
            keep(arrival)

        def run() -> None:
            try:
                digests = transfer.run(failed)
                if digests is not None:
                    arrival.entry.set_result(
                        self._entry(exchange, begun.headers, spool.written, digests)
                    )
                    keep(arrival)
            finally:
                spool.close()
                path.unlink(missing_ok=True)
                with self._lock:
                    self._transfers.discard(transfer)

        transfer.thread = threading.Thread(
            target=carried(run), name="virtreg-transfer", daemon=True
        )
        with self._lock:
            self._transfers.add(transfer)
        try:
            transfer.thread.start()
        except BaseException:
            reading.reply.close()
            spool.close()
            transfer.discard()
            with self._lock:
                self._transfers.discard(transfer)
            raise
        return arrival

    def _spool(self, length: int | None) -> Spool:
        """Raises StorageError when there is no room for a body of that length."""
        folder = self._folder()
        try:
            free = self._free(folder)
        except OSError as error:
            raise SpoolFull(f"cannot use the spool folder: {error.strerror}") from error
        with self._lock:
            free -= sum(transfer.awaited for transfer in self._transfers)
        if free - (length or 0) < LEFT_FREE:
            raise SpoolFull("the disk has no room for it")
        return Spool(folder / f"{os.getpid()}-{uuid.uuid4().hex}.part", length)

    def _entry(
        self, exchange: Exchange, headers: Mapping[str, str], size: int, digests: Digests
    ) -> Entry:
        now = self._clock()
        return Entry(
            source=exchange.upstream.spec.key,
            path=exchange.route.path,
            sha256=digests[Algorithm.SHA256],
            size=size,
            sha1=digests.get(Algorithm.SHA1, ""),
            md5=digests.get(Algorithm.MD5, ""),
            sha512=digests.get(Algorithm.SHA512, ""),
            content_type=headers.get("content-type"),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            created_at=now,
            checked_at=now,
        )
