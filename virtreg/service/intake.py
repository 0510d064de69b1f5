"""Receiving one upstream body: bounded, examined, digested, compared, and only then published.

Small bodies are read whole before anybody gets a byte: a lie in them becomes a clean error. Large
ones are spooled by a thread of their own, which no client can slow down or stop, while readers
follow the spool.
"""

from __future__ import annotations

import os
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path

from attrs import define, field, frozen

from virtreg.core.backoff import backoff_delay
from virtreg.core.digests import parse_sidecar
from virtreg.errors import IntegrityError, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from virtreg.model import (
    Algorithm,
    Digests,
    Entry,
    Expectation,
    Fetch,
    Representation,
    Route,
)
from virtreg.protocols import Format, Reply
from virtreg.service.arrival import Arrival
from virtreg.service.asking import FOUND
from virtreg.service.digesting import compare, digest
from virtreg.service.health import GuardedUpstream
from virtreg.service.spool import PIECE, Spool

SETTLED = 256 * 1024
"""Bodies up to this size are read whole, in memory, before they are answered."""

_EXAMINED = 4096
_SIDECAR_LIMIT = 4096
_ATTEMPTS = 4
"""Tries in a row without a single new byte before a broken transfer is given up."""


@frozen
class Exchange:
    """Everything one download needs to know."""

    upstream: GuardedUpstream
    route: Route
    format: Format
    expectation: Expectation

    @property
    def name(self) -> str:
        return self.upstream.spec.name

    def again(self, *, offset: int = 0, if_range: str | None = None) -> Reply:
        """The same file once more, or its rest. Raises UpstreamError unless it is still there."""
        reply = self.upstream.fetch(
            Fetch(
                self.route.path,
                accept=self.expectation.accept,
                offset=offset,
                if_range=if_range,
            )
        )
        if reply.status not in FOUND:
            reply.close()
            raise IntegrityError(
                f"{self.name} no longer has the file it was sending", upstream=self.name
            )
        return reply


@define
class _Reading:
    """A reply being read, with the bytes read so far that nobody has taken."""

    reply: Reply
    buffer: bytearray = field(factory=bytearray)
    ended: bool = False

    def fill(self, wanted: int) -> None:
        """Read until ``wanted`` bytes are buffered or the body ends."""
        while len(self.buffer) < wanted and not self.ended:
            data = self.reply.read(PIECE)
            self.buffer += data
            self.ended = not data


class Intake:
    """Turns replies into arrivals. Thread-safe; one for all registries of a process."""

    def __init__(
        self,
        folder: Callable[[], Path],
        pool: Executor,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._pool = pool
        self._clock = clock
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._transfers: set[Transfer] = set()

    @property
    def active(self) -> int:
        """Large downloads running now."""
        return len(self._transfers)

    def receive(self, exchange: Exchange, reply: Reply, keep: Callable[[Arrival], None]) -> Arrival:
        """Take the reply over, closing it in any case, and answer as soon as a client can be.

        ``keep`` is called once per arrival, when its ``entry`` is set or failed: for a small body
        on this thread before it returns, for a large one later on the transfer's thread. Raises
        IntegrityError when the body cannot be what was asked for, UpstreamError when it broke off
        for good.
        """
        reading = _Reading(reply)
        try:
            examined = self._examine(exchange, reading)
            claims = _Claims(examined, self._sidecar(exchange, examined))
            whole = self._settle(exchange, reading, SETTLED)
            if whole is not None:
                return self._settled(exchange, reading.reply, whole, claims, keep)
        except BaseException:
            reading.reply.close()
            raise
        return self._start(exchange, reading, claims, keep)

    def read(self, exchange: Exchange, reply: Reply) -> tuple[bytes, Entry]:
        """Take the reply over and read it whole, for documents that are worked on in memory.

        Raises as ``receive`` does, and IntegrityError beyond the expectation's ``max_bytes``.
        """
        limit = exchange.expectation.max_bytes or SETTLED
        reading = _Reading(reply)
        try:
            claims = self._examine(exchange, reading)
            data = self._settle(exchange, reading, limit)
        finally:
            reading.reply.close()
        if data is None:
            raise IntegrityError(
                f"{exchange.name} sends more than the {limit} bytes that are taken",
                upstream=exchange.name,
            )
        digests = digest([data], Algorithm)
        compare(digests, claims, exchange.name)
        return data, self._entry(exchange, reading.reply.headers, len(data), digests)

    def close(self, grace: float) -> None:
        """Let running downloads end for up to ``grace`` seconds, then give up those that are
        left: their files go, and their threads end with the next bytes or the next silence."""
        with self._lock:
            running = list(self._transfers)
        deadline = self._clock() + grace
        for transfer in running:
            transfer.thread.join(max(0.0, deadline - self._clock()))
        self._closing.set()
        for transfer in running:
            transfer.discard()

    def _examine(self, exchange: Exchange, reading: _Reading) -> Digests:
        limit, length = exchange.expectation.max_bytes, reading.reply.length
        if limit is not None and length is not None and length > limit:
            raise IntegrityError(
                f"{exchange.name} sends {length} bytes where at most {limit} are taken",
                upstream=exchange.name,
            )
        reading.fill(_EXAMINED)
        examination = exchange.format.examine(
            exchange.route, reading.reply.headers, bytes(reading.buffer[:_EXAMINED])
        )
        if examination.refusal is not None:
            raise IntegrityError(f"{exchange.name}: {examination.refusal}", upstream=exchange.name)
        claims = dict(examination.claims)
        if exchange.route.digest is not None:
            claims.update([exchange.route.digest])
        return claims

    def _sidecar(
        self, exchange: Exchange, claims: Digests
    ) -> Future[tuple[Algorithm, str] | None] | None:
        """Look for a checksum file only where the answer itself proves nothing."""
        if claims or not exchange.expectation.sidecars:
            return None
        return self._pool.submit(_read_sidecar, exchange)

    def _settle(self, exchange: Exchange, reading: _Reading, limit: int) -> bytes | None:
        """The whole body when it fits, starting over if it breaks off; None when it does not."""
        length = reading.reply.length
        if length is not None and length > limit:
            return None
        for attempt in range(_ATTEMPTS):
            try:
                reading.fill(limit + 1)
                break
            except (UpstreamTimeout, UpstreamUnavailable):
                exchange.upstream.failed()
                reading.reply.close()
                if attempt == _ATTEMPTS - 1 or self._closing.wait(_pause(attempt)):
                    raise
                reading.reply = exchange.again()
                reading.buffer.clear()
        if len(reading.buffer) > limit:
            return None
        return bytes(reading.buffer)

    def _settled(
        self,
        exchange: Exchange,
        reply: Reply,
        data: bytes,
        claims: _Claims,
        keep: Callable[[Arrival], None],
    ) -> Arrival:
        reply.close()
        digests = digest([data], Algorithm)
        compare(digests, claims.wait(), exchange.name)
        entry = self._entry(exchange, reply.headers, len(data), digests)
        arrival = Arrival(entry.source, _representation(reply, len(data), digests), data=data)
        arrival.entry.set_result(entry)
        keep(arrival)
        return arrival

    def _start(
        self,
        exchange: Exchange,
        reading: _Reading,
        claims: _Claims,
        keep: Callable[[Arrival], None],
    ) -> Arrival:
        try:
            path = self._folder() / f"{os.getpid()}-{uuid.uuid4().hex}.part"
            spool = Spool(path, reading.reply.length)
        except BaseException:
            reading.reply.close()
            raise
        arrival = Arrival(
            exchange.upstream.spec.key,
            _representation(reading.reply, reading.reply.length, claims.known),
            spool=spool,
        )
        transfer = Transfer(exchange, reading, spool, claims, self._closing)

        def run() -> None:
            try:
                digests = transfer.run()
                entry = self._entry(exchange, transfer.headers, spool.written, digests)
            except BaseException as error:  # noqa: BLE001 - told to everybody who waits
                arrival.entry.set_exception(error)
            else:
                arrival.entry.set_result(entry)
            try:
                keep(arrival)
            finally:
                spool.close()
                path.unlink(missing_ok=True)
                with self._lock:
                    self._transfers.discard(transfer)

        transfer.thread = threading.Thread(target=run, name="virtreg-transfer", daemon=True)
        with self._lock:
            self._transfers.add(transfer)
        transfer.thread.start()
        return arrival

    def _entry(
        self, exchange: Exchange, headers: Mapping[str, str], size: int, digests: Digests
    ) -> Entry:
        now = self._clock()
        return Entry(
            source=exchange.upstream.spec.key,
            path=exchange.route.path,
            sha256=digests[Algorithm.SHA256],
            size=size,
            sha1=digests[Algorithm.SHA1],
            md5=digests[Algorithm.MD5],
            sha512=digests[Algorithm.SHA512],
            content_type=headers.get("content-type"),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            created_at=now,
            checked_at=now,
        )


class Transfer:
    """One large body on its way into its spool, resumed when it breaks off."""

    thread: threading.Thread

    def __init__(
        self,
        exchange: Exchange,
        reading: _Reading,
        spool: Spool,
        claims: _Claims,
        closing: threading.Event,
    ) -> None:
        self._exchange = exchange
        self._reading = reading
        self._spool = spool
        self._claims = claims
        self._closing = closing
        self._promised = reading.reply.length
        self.headers = dict(reading.reply.headers)
        """Of the first answer; a resumed one describes the same bytes."""

    def run(self) -> Digests:
        """Raises UpstreamError or StorageError when the body will never be whole; then every
        reader of the spool has been told."""
        proving = threading.Thread(target=self._prove, name="virtreg-digest", daemon=True)
        self._proved: Future[Digests] = Future()
        proving.start()
        try:
            self._receive()
            self._spool.complete()
            digests = self._proved.result()
            self._spool.prove()
            # The rest of the digests waits until the client has its bytes.
            rest = digest(self._spool.follow(), set(Algorithm) - set(digests))
        except BaseException as error:
            failure = error if isinstance(error, UpstreamError) else _broken(self._exchange, error)
            self._spool.fail(failure)
            raise failure from error
        finally:
            self._reading.reply.close()
            proving.join()
        return {**digests, **rest}

    def discard(self) -> None:
        """Remove the file, whether or not the transfer has ended; from any thread."""
        self._spool.path.unlink(missing_ok=True)

    def _prove(self) -> None:
        """Digest what the proof needs while the bytes arrive, on a thread of its own."""
        try:
            claims = self._claims.wait()
            digests = digest(self._spool.follow(), {Algorithm.SHA256, *claims})
            compare(digests, claims, self._exchange.name)
            self._proved.set_result(digests)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for it
            self._proved.set_exception(error)

    def _receive(self) -> None:
        failures = 0
        while True:
            before = self._spool.written
            try:
                self._drain()
                return
            except (UpstreamTimeout, UpstreamUnavailable):
                self._exchange.upstream.failed()
                self._reading.reply.close()
                failures = 1 if self._spool.written > before else failures + 1
                if failures >= _ATTEMPTS or self._closing.wait(_pause(failures)):
                    raise
                self._resume_unless_unreachable()

    def _resume_unless_unreachable(self) -> None:
        try:
            self._resume()
        except (UpstreamTimeout, UpstreamUnavailable) as error:
            # Counts as one more try: reading the next reply raises it again.
            self._reading = _Reading(_NoReply(error))

    def _drain(self) -> None:
        limit = self._exchange.expectation.max_bytes
        reading, spool = self._reading, self._spool
        if reading.buffer:
            data = bytes(reading.buffer)
            reading.buffer.clear()
            spool.append(data)
        while not reading.ended:
            data = reading.reply.read(PIECE)
            if not data:
                break
            spool.append(data)
            if limit is not None and spool.written > limit:
                raise IntegrityError(
                    f"{self._exchange.name} sends more than the {limit} bytes that are taken",
                    upstream=self._exchange.name,
                )
            if self._closing.is_set():
                raise UpstreamUnavailable("the server is stopping", upstream=self._exchange.name)
        if self._promised is not None and spool.written != self._promised:
            raise IntegrityError(
                f"{self._exchange.name} promised {self._promised} bytes and sent {spool.written}",
                upstream=self._exchange.name,
            )

    def _resume(self) -> None:
        """Ask for the rest where that is safe (RFC 9110, 13.1.5), else for all of it again and
        compare what is held already."""
        validator = _strong(self.headers)
        offset = self._spool.written
        reply = self._exchange.again(
            offset=offset if validator else 0, if_range=validator if offset else None
        )
        self._reading = _Reading(reply)
        if reply.status == 206:
            self._same_length(None if reply.length is None else offset + reply.length)
            return
        self._same_length(reply.length)
        compared = 0
        while compared < offset:
            data = reply.read(min(PIECE, offset - compared))
            if not data or data != self._spool.read_back(compared, len(data)):
                raise self._changed()
            compared += len(data)

    def _same_length(self, length: int | None) -> None:
        if None not in (self._promised, length) and length != self._promised:
            raise self._changed()

    def _changed(self) -> IntegrityError:
        return IntegrityError(
            f"the file changed at {self._exchange.name} while it was being downloaded",
            upstream=self._exchange.name,
        )


class _Claims:
    """What the upstream says the digests are: from its headers, or from a checksum file that is
    still being fetched."""

    def __init__(
        self, known: Digests, sidecar: Future[tuple[Algorithm, str] | None] | None
    ) -> None:
        self.known = known
        self._sidecar = sidecar

    def wait(self) -> Digests:
        if self._sidecar is None:
            return self.known
        found = self._sidecar.result()
        return self.known if found is None else {found[0]: found[1]}


@frozen
class _NoReply:
    """Stands for a reply that could not be had; the protocol ``Reply``."""

    error: UpstreamError
    status: int = 503
    headers: Mapping[str, str] = field(factory=dict)
    length: int | None = None

    def read(self, limit: int) -> bytes:  # noqa: ARG002 - the protocol's signature
        raise self.error

    def close(self) -> None:
        """There is no connection."""


def _read_sidecar(exchange: Exchange) -> tuple[Algorithm, str] | None:
    """The first checksum file that exists and parses. One that cannot be had claims nothing."""
    for algorithm, path in exchange.expectation.sidecars:
        try:
            reply = exchange.upstream.fetch(Fetch(path))
        except UpstreamError:
            return None
        try:
            if reply.status != 200:
                continue
            reading = _Reading(reply)
            reading.fill(_SIDECAR_LIMIT)
        except UpstreamError:
            return None
        finally:
            reply.close()
        claimed = parse_sidecar(bytes(reading.buffer[:_SIDECAR_LIMIT]), algorithm)
        if claimed is not None:
            return algorithm, claimed
    return None


def _representation(reply: Reply, size: int | None, digests: Digests) -> Representation:
    return Representation(
        size, digests, reply.headers.get("content-type"), reply.headers.get("last-modified")
    )


def _strong(headers: Mapping[str, str]) -> str | None:
    """A validator that proves two answers to be the same bytes (RFC 9110, 8.8.1). A date is not
    one: two versions may share a second."""
    etag = headers.get("etag")
    return None if etag is None or etag.startswith("W/") else etag


def _pause(attempt: int) -> float:
    return backoff_delay(attempt, random.random())  # noqa: S311 - spreads retries


def _broken(exchange: Exchange, error: BaseException) -> UpstreamError:
    """Readers learn that the download failed; the cause is for the log."""
    return UpstreamUnavailable(
        f"the download from {exchange.name} failed: {error}", upstream=exchange.name
    )
