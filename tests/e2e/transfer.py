"""A download that can stop half-way and says truthfully whether it became whole."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.e2e import marked

_PIECE = 256 * 1024
_HEAD = 16 * 1024


class Transfer:
    """One GET over its own connection. Bodies are hashed and dropped; ``head`` keeps the first
    bytes, enough for an error's text.

    Used by one thread. ``headers`` have lower-case names; ``seconds`` is the longest silence.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, *, seconds: float = 60
    ) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
        self._connection.request("GET", parts.path, headers=dict(headers or {}))
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.getheaders()}
        self.size = 0
        self.head = b""
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Digest of the bytes read so far."""
        return self._hash.hexdigest()

    def read_to(self, size: int) -> None:
        """Read until ``size`` bytes in all have come; AssertionError when there are fewer."""
        while self.size < size:
            assert self._take(size - self.size), f"the body ended after {self.size} bytes"

    def finish(self) -> bool:
        """Read to the end; whether the body is whole by HTTP's own rules (RFC 9112, 8)."""
        try:
            while self._take(_PIECE):
                pass
        except (http.client.IncompleteRead, OSError):
            return False
        length = self.headers.get("content-length")
        return length is None or self.size == int(length)

    def close(self) -> None:
        """Hang up, whether the body was read or not."""
        self._response.close()
        self._connection.close()

    def _take(self, limit: int) -> bool:
        piece = self._response.read1(min(limit, _PIECE))
        self.size += len(piece)
        self._hash.update(piece)
        self.head += piece[: _HEAD - len(self.head)]
        return bool(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def fetch(url: str, headers: Mapping[str, str] | None = None) -> Transfer:
    """A finished transfer: ``status``, ``headers``, ``size`` and ``sha256`` can be read from it.
    AssertionError when the body was cut, or the answer repeats a secret."""
    with Transfer(url, headers) as transfer:
        assert transfer.finish(), f"{url} was cut after {transfer.size} bytes"
        told = str(transfer.headers).encode() + transfer.head
        assert marked.SECRETS.found(f"answer to {url}", told) == []
        return transfer
