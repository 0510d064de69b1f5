"""Stand-ins that keep the contracts without a network or a real clock."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from attrs import define, field, frozen

from virtreg.errors import UpstreamError, UpstreamUnavailable
from virtreg.model import Fetch, UpstreamSpec
from virtreg.testing.gate import Gate


class FakeClock:
    """Time that moves only when told to; call it for seconds since the epoch. Thread-safe."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> float:
        """Move on and return the new time."""
        with self._lock:
            self._now += seconds
            return self._now


@frozen
class _Shelf:
    """One path of a fake upstream."""

    body: bytes
    etag: str | None
    headers: Mapping[str, str]
    sized: bool
    head: bool
    cut_after: int | None
    hold: Gate | None
    stall: Gate | None


@define
class FakeReply:
    """A reply out of memory, in pieces of at most ``piece`` bytes."""

    status: int
    headers: Mapping[str, str]
    length: int | None
    _body: bytes = b""
    _cut: UpstreamUnavailable | None = None
    _stall: Gate | None = None
    _at: int = field(default=0, init=False)
    closed: bool = field(default=False, init=False)

    def read(self, limit: int) -> bytes:
        if self._at == len(self._body):
            if self._stall is not None:
                self._stall.arrive()
                self._stall = None
            if self._cut is not None:
                raise self._cut
        piece = self._body[self._at : self._at + limit]
        self._at += len(piece)
        return piece

    def close(self) -> None:
        self.closed = True


class FakeUpstream:
    """An upstream in memory, with validators, ranges and faults. Thread-safe.

    ``requests`` is every Fetch it got, in order, and ``replies`` every reply it gave, so that a
    test can see each was closed.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        spec: UpstreamSpec | None = None,
    ) -> None:
        self._spec = spec or UpstreamSpec("fake", "http://fake.invalid")
        self._lock = threading.Lock()
        self._shelves: dict[str, _Shelf] = {}
        self._faults: dict[str | None, UpstreamError] = {}
        self._requests: list[Fetch] = []
        self._replies: list[FakeReply] = []
        self.closed = False
        for path, body in (files or {}).items():
            self.put(path, body)

    @property
    def spec(self) -> UpstreamSpec:
        return self._spec

    @property
    def requests(self) -> list[Fetch]:
        with self._lock:
            return list(self._requests)

    @property
    def replies(self) -> list[FakeReply]:
        with self._lock:
            return list(self._replies)

    def count(self, path: str, method: str = "GET") -> int:
        """How often a path was asked for."""
        return sum(asked.path == path and asked.method == method for asked in self.requests)

    def put(
        self,
        path: str,
        body: bytes,
        *,
        etag: str | None = "auto",
        headers: Mapping[str, str] = MappingProxyType({}),
        sized: bool = True,
        head: bool = True,
        cut_after: int | None = None,
        hold: Gate | None = None,
        stall: Gate | None = None,
    ) -> None:
        """Publish a path, with ``?name=value&…`` for a query's own answer. ``etag`` None sends no
        validator; ``sized`` False sends no length; ``head`` False says 404 to HEAD;
        ``cut_after`` breaks the body there; ``hold`` is passed before the answer, ``stall``
        after the body's last byte (or before its cut)."""
        if etag == "auto":
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        shelf = _Shelf(body, etag, dict(headers), sized, head, cut_after, hold, stall)
        with self._lock:
            self._shelves[path] = shelf

    def remove(self, path: str) -> None:
        """Make a path absent."""
        with self._lock:
            del self._shelves[path]

    def fail(self, error: UpstreamError, path: str | None = None) -> None:
        """Raise this for every request, or for those of one path, until :meth:`heal`."""
        with self._lock:
            self._faults[path] = error

    def heal(self) -> None:
        """Take back every :meth:`fail`."""
        with self._lock:
            self._faults.clear()

    def fetch(self, request: Fetch) -> FakeReply:
        with self._lock:
            self._requests.append(request)
            fault = self._faults.get(request.path) or self._faults.get(None)
            shelf = self._shelves.get(_asked(request)) or self._shelves.get(request.path)
        if shelf is not None and shelf.hold is not None:
            shelf.hold.arrive()
        if fault is not None:
            raise fault
        reply = self._answer(request, shelf)
        with self._lock:
            self._replies.append(reply)
        return reply

    def close(self) -> None:
        self.closed = True

    def _answer(self, request: Fetch, shelf: _Shelf | None) -> FakeReply:
        if shelf is None or (request.method == "HEAD" and not shelf.head):
            return FakeReply(404, {"content-length": "0"}, 0)
        headers = {"content-type": "application/octet-stream", **shelf.headers}
        if shelf.etag is not None:
            headers["etag"] = shelf.etag
            if request.known is not None and request.known.etag == shelf.etag:
                return FakeReply(304, headers, 0)
        status, first, last, size = 200, 0, len(shelf.body), len(shelf.body)
        resumable = request.if_range is None or request.if_range == shelf.etag
        ranged = request.offset > 0 or request.stop is not None
        if ranged and request.offset < size and resumable:
            status, first, last = 206, request.offset, min(request.stop or size, size)
            headers["content-range"] = f"bytes {first}-{last - 1}/{size}"
        if shelf.sized:
            headers["content-length"] = str(last - first)
        length = last - first if shelf.sized else None
        if request.method == "HEAD":
            return FakeReply(status, headers, length)
        body, cut = shelf.body[first:last], None
        if shelf.cut_after is not None and shelf.cut_after < len(body):
            body = body[: shelf.cut_after]
            name = self._spec.name
            message = f"upstream {name!r}: connection cut after {len(body)} bytes"
            cut = UpstreamUnavailable(message, upstream=name)
        return FakeReply(status, headers, length, body, cut, shelf.stall)


def _asked(request: Fetch) -> str:
    return f"{request.path}?{urlencode(request.query)}" if request.query else request.path
