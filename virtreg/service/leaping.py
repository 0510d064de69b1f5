"""Ranges far ahead of a running download, passed through from its upstream."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Mapping

from attrs import define, field, frozen

from virtreg.core.ranges import content_range
from virtreg.errors import UpstreamError
from virtreg.model import Route, UpstreamSpec
from virtreg.service.exchange import Exchange
from virtreg.service.spool import PIECE


@frozen
class Joint:
    """Why pieces out of several answers are of the same bytes."""

    if_range: str | None
    """The strong validator to ask with; None where the digest that the path fixes does better: it
    holds across the hosts that a download is redirected to, whose validators may differ."""


def joint_of(route: Route, headers: Mapping[str, str]) -> Joint | None:
    """None where only the whole body compares (RFC 9110, 13.1.5 and 8.8.1). A date is no strong
    validator: two versions may share a second."""
    if route.digest is not None:
        return Joint(None)
    etag = headers.get("etag")
    return None if etag is None or etag.startswith("W/") else Joint(etag)


@define(eq=False)
class Berths:
    """The connections that pass ranges through: of each upstream half at most, since their pace is
    that of readers, who may be slow, and downloads need the others. Thread-safe."""

    _taken: Counter[str] = field(factory=Counter, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def take(self, spec: UpstreamSpec) -> bool:
        """Whether there is one more; then ``give_back`` is due."""
        with self._lock:
            if self._taken[spec.key] >= spec.max_connections // 2:
                return False
            self._taken[spec.key] += 1
            return True

    def give_back(self, spec: UpstreamSpec) -> None:
        with self._lock:
            self._taken[spec.key] -= 1


@frozen
class Leap:
    """Passes ranges of one body through, beside the download that brings it; the ``Ahead`` of a
    reader. Thread-safe.

    What it yields is nowhere kept and nobody has proved it: the upstream alone says that it is
    of this body. The same holds for any range that leaves before the download has ended, so a
    client that puts a file together out of ranges checks the digest of the whole itself.
    """

    exchange: Exchange
    size: int
    """Of the whole body, as promised by the answer that is being downloaded."""
    joint: Joint
    berths: Berths

    def __call__(self, start: int, stop: int) -> Generator[bytes, None, None]:
        """Yield the bytes ``start <= i < stop`` in pieces, one in memory at a time, and end early
        where the upstream is busy, refuses, breaks off or means another body. Closing it gives
        the connection back."""
        if not self.berths.take(self.exchange.upstream.spec):
            return
        try:
            yield from self._pass(start, stop)
        except UpstreamError:
            # Not held against the upstream: it may have left a reader that was too slow for it.
            return
        finally:
            self.berths.give_back(self.exchange.upstream.spec)

    def _pass(self, start: int, stop: int) -> Generator[bytes, None, None]:
        reply = self.exchange.again(offset=start, stop=stop, if_range=self.joint.if_range)
        try:
            said = reply.headers.get("content-range", "").strip().lower()
            if reply.status != 206 or said != content_range(start, stop, self.size):
                return
            at = start
            while at < stop and (piece := reply.read(min(PIECE, stop - at))):
                at += len(piece)
                yield piece
        finally:
            reply.close()


def leap_of(
    exchange: Exchange, headers: Mapping[str, str], size: int | None, berths: Berths
) -> Leap | None:
    """How the readers of a body that is on its way get far ahead of it; None where its size is
    not known, or nothing makes sure that a range would be of the same bytes."""
    joint = joint_of(exchange.route, headers)
    return None if size is None or joint is None else Leap(exchange, size, joint, berths)
