"""A client with a watch: what was answered, whether it was whole, and how long it took."""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import field, frozen

_PIECE = 256 * 1024


@frozen
class Answer:
    """``status`` 0: there was none."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    whole: bool
    """By HTTP's own rules (RFC 9112, 8)."""
    seconds: float
    """Until the end of the body."""
    hung: bool
    """Whether the client gave up waiting."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def cache(self) -> str:
        """How it was come by: ``hit``, ``miss``, …"""
        return self.headers.get("x-virtreg-cache", "")

    def __str__(self) -> str:
        if self.hung:
            return f"nothing more within {self.seconds:.1f} s, status {self.status}"
        end = "" if self.whole else ", cut"
        said = "" if self.status < 400 else f": {self.body[:300]!r}"
        return f"{self.status}{end}, {len(self.body)} bytes in {self.seconds:.1f} s{said}"


def ask(
    url: str, limit: float, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    """``limit`` is the longest wait in seconds, for the whole answer."""
    begin = time.monotonic()
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=limit)
    status, told, body = 0, dict[str, str](), bytearray()
    whole = hung = False
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers=dict(headers or {}))
        with connection.getresponse() as response:
            status = response.status
            told = {name.lower(): value for name, value in response.getheaders()}
            while piece := response.read1(_PIECE):
                body += piece
                if time.monotonic() - begin > limit:
                    raise TimeoutError
            length = told.get("content-length")
            whole = method == "HEAD" or length is None or int(length) == len(body)
    except TimeoutError:
        hung = True
    except (http.client.HTTPException, OSError):
        pass
    finally:
        connection.close()
    return Answer(status, told, bytes(body), whole, time.monotonic() - begin, hung)
