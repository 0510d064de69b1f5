"""What an origin serves: bytes in memory or a file of a folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
from collections.abc import Sequence
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO

from attrs import define, field, frozen

from virtreg.testing.origin.behaviour import HEALTHY, Behaviour

_EPOCH = 1_700_000_000


@frozen
class Content:
    """One body with its validators, not yet opened."""

    size: int
    etag: str
    last_modified: str
    source: bytes | Path

    def open(self) -> BinaryIO:
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")

    @classmethod
    def of_bytes(cls, body: bytes) -> Content:
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        return cls(len(body), etag, formatdate(_EPOCH, usegmt=True), body)

    @classmethod
    def of_file(cls, path: Path) -> Content:
        facts = path.stat()
        etag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
        return cls(facts.st_size, etag, formatdate(facts.st_mtime, usegmt=True), path)

    def compressed(self) -> Content:
        with self.open() as body:
            return Content.of_bytes(gzip.compress(body.read(), mtime=0))


@define
class Published:
    """One path: the bodies it serves in turn (the last for ever) and how it misbehaves.

    Thread-safe.
    """

    bodies: Sequence[bytes]
    behaviour: Behaviour
    only_times: int | None
    _served: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def next(self) -> tuple[Content | None, Behaviour]:
        """The body and behaviour of one more request."""
        with self._lock:
            turn = self._served
            self._served += 1
        healthy = self.only_times is not None and turn >= self.only_times
        body = self.bodies[min(turn, len(self.bodies) - 1)] if self.bodies else None
        content = None if body is None else Content.of_bytes(body)
        return content, HEALTHY if healthy else self.behaviour


def find_file(folder: Path, path: str) -> Content | None:
    """The regular file at ``path`` below ``folder``, if it is there and really below."""
    try:
        target = (folder / path).resolve()
        inside = target.is_relative_to(folder) and target.is_file()
    except (OSError, ValueError):
        return None
    return Content.of_file(target) if inside else None
