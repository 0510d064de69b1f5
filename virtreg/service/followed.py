"""A download that another process of the node leads, as the readers of this one see it.

They follow the leader's file. Should the leader die, they go on with whatever brings the same
body next, once its beginning has proved to be what they were given.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable, Iterator

from attrs import define, field

from virtreg.errors import IntegrityError, UpstreamUnavailable
from virtreg.model import Algorithm, Entry, Representation
from virtreg.protocols import Body
from virtreg.service.arrival import Arrival
from virtreg.service.notices import ArrivalNotice
from virtreg.service.resolution import Resolved
from virtreg.service.spool import PIECE, Growing, SpoolBody

_COMPARED = 16 * PIECE
"""Bytes compared at a time."""


class LeaderLost(UpstreamUnavailable):
    """Whoever led the download is gone. Internal: its readers go on elsewhere."""


class FollowedSpool(Growing):
    """The leader's file. ``advance``, ``prove`` and ``fail`` are the watching thread's."""

    def __init__(self, notice: ArrivalNotice) -> None:
        """Raises OSError."""
        descriptor = os.open(notice.path, os.O_RDONLY | os.O_CLOEXEC)
        super().__init__(notice.path, descriptor, notice.claimed.size)
        self._comparing = threading.Lock()
        self._compared: dict[Hashable, int] = {}
        """Bytes that are the same, by what they were compared with."""

    def advance(self, visible: int) -> None:
        """Readers may read so far."""
        with self._grown:
            self._held_from = visible
            self._grown.notify_all()

    def prove(self, size: int) -> None:
        """All of it is there, and is what it must be."""
        with self._grown:
            self._held_from = self.size = size
            self._proved = True
            self._grown.notify_all()

    def compare(self, resolved: Resolved, read: Callable[[int, int], bytes], upto: int) -> bool:
        """Whether another body begins with the same ``upto`` bytes, waiting for them if need be;
        ``read`` is a reader's ``read_back``. Many readers cost one comparison."""
        sha256 = resolved.representation.digests.get(Algorithm.SHA256)
        other: Hashable = sha256 if resolved.arrival is None else resolved.arrival
        while True:
            with self._comparing:
                at = self._compared.get(other, 0)
                if at >= upto:
                    return True
                stop = min(upto, at + _COMPARED)
                for piece in resolved.body.read(at, stop):
                    if piece != read(at, len(piece)):
                        return False
                    at += len(piece)
                if at < stop:
                    return False
                self._compared[other] = at


@define(eq=False)
class FollowedArrival(Arrival):
    """``again`` is what brings the body once the leader is lost."""

    again: Callable[[], Resolved] | None = field(default=None, repr=False)

    def body(self) -> Body:
        assert isinstance(self.spool, FollowedSpool)
        assert self.again is not None
        return _FollowedBody(self.spool, self.again, self.claimed)


class _FollowedBody(Body):
    def __init__(
        self, spool: FollowedSpool, again: Callable[[], Resolved], claimed: Representation
    ) -> None:
        self._spool = spool
        self._claimed = claimed
        self._first = SpoolBody(spool)
        self._again = again
        self._size: int | None = None

    @property
    def size(self) -> int | None:
        return self._first.size if self._size is None else self._size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        at = start
        try:
            for piece in self._first.read(start, stop):
                at += len(piece)
                yield piece
        except LeaderLost:
            pass
        else:
            return
        resolved = self._again()
        with resolved.body as body:
            # One that asked for nothing but the end has been given nothing.
            given = at if at > start else 0
            if not self._is_as_claimed(resolved) or not self._spool.compare(
                resolved, self._first.read_back, given
            ):
                raise IntegrityError(
                    "the file is another one since the process that downloaded it has ended",
                    upstream="",
                )
            yield from body.read(at, stop)
            self._size = body.size

    def close(self) -> None:
        self._first.close()

    def _is_as_claimed(self, resolved: Resolved) -> bool:
        """Whether nothing known of the other body is against what readers may have been told of
        this one before its first byte."""
        claimed, found = self._claimed, resolved.representation
        if None not in (claimed.size, found.size) and claimed.size != found.size:
            return False
        return all(
            found.digests.get(algorithm, digest) == digest
            for algorithm, digest in claimed.digests.items()
        )


def succeed(arrival: FollowedArrival, again: Callable[[], Resolved]) -> None:
    """Tell those who wait for the digests what comes in the place of a lost leader's body."""
    try:
        resolved = again()
        with resolved.body:
            digests = resolved.proved()
            if resolved.arrival is not None:
                arrival.entry.set_result(resolved.arrival.entry.result())
                return
            size = resolved.body.size
        assert size is not None
        found = resolved.representation
        arrival.entry.set_result(
            Entry(
                source=resolved.source,
                path=resolved.route.path,
                sha256=digests[Algorithm.SHA256],
                size=size,
                sha1=digests.get(Algorithm.SHA1, ""),
                md5=digests.get(Algorithm.MD5, ""),
                sha512=digests.get(Algorithm.SHA512, ""),
                content_type=found.content_type,
                etag=None,
                last_modified=found.last_modified,
                created_at=0,
                checked_at=0,
            )
        )
    except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for it
        arrival.entry.set_exception(error)
