"""A large body on its way into its spool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial

from attrs import field, frozen

from virtreg.correlation import carried
from virtreg.errors import (
    IntegrityError,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
    VirtregError,
)
from virtreg.model import Algorithm, Digests
from virtreg.protocols import Reply
from virtreg.service.claims import Claims, put_off
from virtreg.service.digesting import compare, digest, kept
from virtreg.service.exchange import ATTEMPTS, Exchange, Reading, pause
from virtreg.service.leaping import joint_of
from virtreg.service.spool import PIECE, Spool

_LONGEST_WAIT = 30.0
"""Seconds that readers of a download are kept waiting for its next try."""

_BEST_FIRST = (Algorithm.SHA256, Algorithm.SHA512, Algorithm.SHA1, Algorithm.MD5)


class Transfer:
    """One large body on its way into its spool, resumed when it breaks off."""

    thread: threading.Thread

    def __init__(
        self,
        exchange: Exchange,
        reading: Reading,
        spool: Spool,
        claims: Claims,
        closing: threading.Event,
    ) -> None:
        self._exchange = exchange
        self._reading = reading
        self._spool = spool
        self._claims = claims
        self._closing = closing
        self._promised = reading.reply.length
        self._ends = time.monotonic() + exchange.upstream.spec.total_timeout
        self._joint = joint_of(exchange.route, reading.reply.headers)

    def run(self, failed: Callable[[VirtregError], None]) -> Digests | None:
        """The digests of the whole body; None when it will never be whole.

        Then ``failed`` is called before any reader of the spool learns of it, so that whoever
        retries at once finds nothing of this transfer any more.
        """
        proving = threading.Thread(target=carried(self._prove), name="virtreg-digest", daemon=True)
        self._proved: Future[tuple[dict[Algorithm, str], Digests]] = Future()
        try:
            proving.start()
            self._receive()
            # Its connection may be the one that the checksum file waits for.
            self._reading.reply.close()
            self._spool.complete()
            digests, claims = self._proved.result()
            self._spool.prove()
            # The other digests wait until the clients have their bytes.
            missing = kept(self._exchange.expectation, claims) - set(digests)
            if missing:
                digests |= digest(self._spool.follow(), missing)
            compare(digests, claims, self._exchange.name)
        except BaseException as error:  # noqa: BLE001 - told to everybody who waits
            failure = error if isinstance(error, VirtregError) else _broken(self._exchange, error)
            try:
                failed(failure)
            finally:
                self._spool.fail(failure)
            return None
        finally:
            self._reading.reply.close()
            if proving.ident is not None:
                proving.join()
        return digests

    @property
    def awaited(self) -> int:
        """Bytes that the disk is still to take, as far as that is known."""
        return max(0, (self._promised or 0) - self._spool.written)

    def discard(self) -> None:
        """Remove the file, whether or not the transfer has ended; from any thread."""
        self._spool.path.unlink(missing_ok=True)

    def _prove(self) -> None:
        """Digest what the proof needs while the bytes arrive, on a thread of its own: the best
        claim alone, since every digest costs the clients time. Where nothing is claimed there is
        nothing to wait for."""
        try:
            claims = self._claimed()
            best = self._best(claims)
            digests = {} if best is None else digest(self._spool.follow(), [best])
            compare(digests, {} if best is None else {best: claims[best]}, self._exchange.name)
            self._proved.set_result((digests, claims))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for it
            self._proved.set_exception(error)

    def _best(self, claims: Digests) -> Algorithm | None:
        """The digest that the path fixes comes before any that an answer claims."""
        fixed = self._exchange.route.digest
        if fixed is not None:
            return fixed[0]
        return next((algorithm for algorithm in _BEST_FIRST if algorithm in claims), None)

    def _claimed(self) -> Digests:
        """Wait for a turn to ask for the checksum file, for as long as there is a body to prove:
        downloads that are under way may hold every connection, this one among them."""
        ask = self._claims.wait
        while True:
            try:
                return ask()
            except UpstreamError as error:
                if not put_off(error) or self._spool.failed or self._closing.wait(pause(0)):
                    raise
            ask = partial(self._claims.ask_again, self._exchange)

    def _receive(self) -> None:
        failures = 0
        while True:
            before = self._spool.written
            try:
                self._drain()
                self._exchange.upstream.delivered()
                return
            except UpstreamError as error:
                if not _may_pass(error):
                    raise
                if self._spool.written == self._promised:
                    return  # a body ends with its last promised byte (RFC 9112, 6.3)
                # A reply that could not be had was counted when it was asked for.
                if not isinstance(self._reading.reply, _NoReply):
                    self._exchange.upstream.failed()
                self._reading.reply.close()
                failures = 1 if self._spool.written > before else failures + 1
                # However it goes on and on: a download has the time that one exchange has.
                late = time.monotonic() > self._ends
                if late or failures >= ATTEMPTS or self._closing.wait(_wait(failures, error)):
                    raise
                self._resume_unless_put_off()

    def _resume_unless_put_off(self) -> None:
        try:
            self._resume()
        except UpstreamError as error:
            if not _may_pass(error):
                raise
            # Counts as one more try: reading the next reply raises it again.
            self._reading.reply.close()
            self._reading = Reading(_NoReply(error))

    def _drain(self) -> None:
        reading = self._reading
        data = bytes(reading.buffer)
        reading.buffer.clear()
        self._append(data)
        while not reading.ended and (data := reading.reply.read(PIECE)):
            self._append(data)
            if self._closing.is_set():
                raise UpstreamUnavailable("the server is stopping", upstream=self._exchange.name)
        self._exchange.refuse_unlike_promised(self._promised, self._spool.written)

    def _append(self, data: bytes) -> None:
        self._exchange.refuse_beyond_limit(self._spool.written + len(data))
        self._spool.append(data)

    def _resume(self) -> None:
        """Ask for the rest where that is safe, else for all of it again and compare what is held
        already."""
        offset = self._spool.written
        reply = self._rest(offset)
        self._reading = Reading(reply)
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

    def _rest(self, offset: int) -> Reply:
        if not offset or self._joint is None:
            return self._exchange.again()
        try:
            return self._exchange.again(offset=offset, if_range=self._joint.if_range)
        except UpstreamError as error:
            if type(error) is not UpstreamError:
                raise
            # It is well and does not take a range: 416 where nothing but the end was lost, or
            # another 4xx where ranges are not known.
            return self._exchange.again()

    def _same_length(self, length: int | None) -> None:
        if None not in (self._promised, length) and length != self._promised:
            raise self._changed()

    def _changed(self) -> IntegrityError:
        return IntegrityError(
            f"the file changed at {self._exchange.name} while it was being downloaded",
            upstream=self._exchange.name,
        )


def _may_pass(error: UpstreamError) -> bool:
    """Whether the rest may be had later."""
    return isinstance(error, UpstreamTimeout | UpstreamUnavailable) or put_off(error)


def _wait(failures: int, error: UpstreamError) -> float:
    """Seconds until the next try: at least until one is of use, as far as that is told."""
    return max(pause(failures), min(error.retry_after or 0.0, _LONGEST_WAIT))


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


def _broken(exchange: Exchange, error: BaseException) -> UpstreamError:
    """Readers learn that the download failed; what exactly is in the chained cause."""
    failure = UpstreamUnavailable(
        f"the download from {exchange.name} failed: {type(error).__name__}",
        upstream=exchange.name,
    )
    failure.__cause__ = error
    return failure
