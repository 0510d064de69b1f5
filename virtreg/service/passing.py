"""A large body on its way through, where there is no file for it to wait in.

Each reader has a connection of its own to the upstream, which is read at the reader's pace, so that
a body of any size takes one piece of memory. Nothing is kept. The end of a whole body is held back
until the body is proved, as of a download that waits in a file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from virtreg.core.ranges import content_range
from virtreg.errors import IntegrityError, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from virtreg.model import Algorithm, Digests
from virtreg.protocols import Reply
from virtreg.service.claims import Claims
from virtreg.service.digesting import Digesting, compare, kept
from virtreg.service.exchange import ATTEMPTS, Exchange, Reading, pause
from virtreg.service.leaping import Joint
from virtreg.service.spool import PIECE

EXAMINED = 4096
"""Bytes at the beginning of a body that a format looks at."""

Proved = Callable[[int, Digests], None]
"""Is told the size and the digests of a whole body that was proved; more than once, if several
readers read it."""


class Passing:
    """One body, for any number of readers; the protocol ``Onward``. Thread-safe. ``joint``: why
    ranges would be of it; None where nothing makes sure."""

    def __init__(
        self,
        exchange: Exchange,
        size: int | None,
        joint: Joint | None,
        claims: Claims,
        closing: threading.Event,
        proved: Proved,
    ) -> None:
        self.size = size
        self._exchange = exchange
        self._joint = joint
        self._claims = claims
        self._closing = closing
        self._proved = proved
        self._lock = threading.Lock()
        self._begun: Reading | None = None

    def begin(self, reading: Reading) -> None:
        """There is an answer already, for whoever reads first."""
        self._begun = reading

    def give_up(self) -> None:
        """Nobody is to read the first answer who has not begun to."""
        begun = self._take_begun()
        if begun is not None:
            begun.reply.close()

    def read(self, start: int, stop: int | None) -> Iterator[bytes]:
        """As ``Body.read``. Only what is read from the start to the end is proved."""
        size = self.size
        whole = start == 0 and (stop is None or size is None or stop >= size)
        if not whole and start > 0 and size is not None and self._joint is not None:
            yield from self._range(start, size if stop is None else min(stop, size), size)
            return
        at = 0
        with closing(self._whole()) as pieces:
            for piece in pieces:
                begin, at = at, at + len(piece)
                wanted = piece[max(0, start - begin) : None if stop is None else stop - begin]
                if wanted and (stop is None or begin < stop):
                    yield wanted
                if not whole and stop is not None and at >= stop:
                    return

    def _whole(self) -> Generator[bytes, None, None]:
        """Every byte, the last ones once all are proved."""
        exchange = self._exchange
        digesting = Digesting(self._algorithms())
        at, held, failures = 0, b"", 0
        reading = self._take_begun() or self._begin_again()
        try:
            while True:
                try:
                    data = _piece(reading)
                except (UpstreamTimeout, UpstreamUnavailable) as error:
                    # Not held against the upstream: its reader may have been too slow for it.
                    reading.reply.close()
                    failures += 1
                    reading = self._resumed(at, failures, error)
                    continue
                if not data:
                    break
                failures = 0
                at += len(data)
                exchange.refuse_beyond_limit(at)
                digesting.update(data)
                if held:
                    yield held
                held = data
            exchange.refuse_unlike_promised(self.size, at)
            digests = digesting.result()
            compare(digests, self._claims.wait(), exchange.name)
            exchange.upstream.delivered()
        finally:
            reading.reply.close()
        self.size = at
        self._proved(at, digests)
        if held:
            yield held

    def _algorithms(self) -> set[Algorithm]:
        """All that may be claimed: a checksum file may not have arrived yet."""
        expectation = self._exchange.expectation
        return kept(expectation, self._claims.known) | {each for each, _ in expectation.sidecars}

    def _begin_again(self) -> Reading:
        """The file for one more reader. Raises IntegrityError when it is not the one that the first
        answer was."""
        exchange = self._exchange
        reading = Reading(exchange.again())
        try:
            if None not in (self.size, reading.reply.length) and reading.reply.length != self.size:
                raise self._changed()
            reading.fill(EXAMINED)
            head = bytes(reading.buffer[:EXAMINED])
            refusal = exchange.format.examine(exchange.route, reading.reply.headers, head).refusal
            if refusal is not None:
                raise IntegrityError(f"{exchange.name}: {refusal}", upstream=exchange.name)
        except BaseException:
            reading.reply.close()
            raise
        return reading

    def _resumed(self, at: int, failures: int, error: UpstreamError) -> Reading:
        """The rest of a body that broke off after ``at`` bytes. Raises why there is none."""
        joint = self._joint
        if joint is None or failures >= ATTEMPTS or self._closing.wait(pause(failures)):
            raise error
        try:
            rest = self._exchange.again(offset=at, if_range=joint.if_range)
        except (UpstreamTimeout, UpstreamUnavailable) as again:
            return self._resumed(at, failures + 1, again)
        size = None if rest.length is None else at + rest.length
        if at and (rest.status != 206 or (None not in (size, self.size) and size != self.size)):
            rest.close()
            raise self._changed()
        return Reading(rest)

    def _range(self, start: int, stop: int, size: int) -> Generator[bytes, None, None]:
        assert self._joint is not None
        # Its connection may be the last that there is.
        self.give_up()
        if start >= stop:
            return
        reply = self._exchange.again(offset=start, stop=stop, if_range=self._joint.if_range)
        try:
            if not _is_range(reply, start, stop, size):
                yield from self._out_of_whole(reply, start, stop)
                return
            at = start
            while at < stop and (piece := reply.read(min(PIECE, stop - at))):
                at += len(piece)
                yield piece
        finally:
            reply.close()

    def _out_of_whole(self, reply: Reply, start: int, stop: int) -> Generator[bytes, None, None]:
        """The bytes out of an answer that is the whole body, since ranges are not known there."""
        if reply.status != 200 or reply.length not in (None, self.size):
            raise self._changed()
        at = 0
        while at < stop and (piece := reply.read(min(PIECE, stop - at))):
            begin, at = at, at + len(piece)
            if at > start:
                yield piece[max(0, start - begin) :]

    def _take_begun(self) -> Reading | None:
        with self._lock:
            begun, self._begun = self._begun, None
        return begun

    def _changed(self) -> IntegrityError:
        return IntegrityError(
            f"the file changed at {self._exchange.name} while it was being read",
            upstream=self._exchange.name,
        )


def _piece(reading: Reading) -> bytes:
    if reading.buffer:
        data = bytes(reading.buffer)
        reading.buffer.clear()
        return data
    return b"" if reading.ended else reading.reply.read(PIECE)


def _is_range(reply: Reply, start: int, stop: int, size: int) -> bool:
    said = reply.headers.get("content-range", "").strip().lower()
    return reply.status == 206 and said == content_range(start, stop, size)
