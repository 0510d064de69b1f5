"""How a path of an :class:`~virtreg.testing.origin.Origin` misbehaves."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from attrs import field, frozen

from virtreg.testing.gate import Gate
from virtreg.testing.origin.tokens import Lock, Tokens


def basic(username: str, password: str) -> tuple[str, str]:
    """The header HTTP Basic credentials travel in (RFC 7617), for ``require``."""
    text = base64.b64encode(f"{username}:{password}".encode()).decode()
    return ("Authorization", f"Basic {text}")


def bearer(token: str) -> tuple[str, str]:
    """The header a bearer token travels in (RFC 6750), for ``require``."""
    return ("Authorization", f"Bearer {token}")


@frozen(kw_only=True)
class Behaviour:
    """What a path does instead of answering well; the defaults are good behaviour."""

    status: int = 200
    """Any other status is sent with a short text body, or the path's own if it has one."""
    headers: Mapping[str, str] = field(factory=dict)
    """Sent beside, or instead of, the usual ones: ``Retry-After``, a wrong ``x-checksum-sha1``."""
    hold: Gate | None = None
    """Passed before the first byte of the answer."""
    silent: bool = False
    """Close the connection instead of answering."""
    cut_after: int | None = None
    """Close the connection after this many bytes of the body."""
    stall_after: int | None = None
    """After this many bytes of the body pass ``stall``; 0 stalls after the headers."""
    stall: Gate = field(factory=Gate)
    declared_length: int | None = None
    """The ``Content-Length`` sent, whatever the body has."""
    chunked: bool = False
    """Send with ``Transfer-Encoding: chunked`` and no length."""
    until_close: bool = False
    """Send with neither length nor chunks: the end of the connection is the end of the body."""
    redirect: str | None = None
    """Send ``Location`` with this URL, with ``status`` or 302."""
    html: bool = False
    """Answer 200 with an HTML page, as login portals do."""
    gzip: bool = False
    """Send with ``Content-Encoding: gzip`` although nobody accepts it."""
    require: tuple[str, str] | None = None
    """Header name and value without which the answer is 401, with a Basic challenge."""
    lock: Lock | None = None
    """The token without which the answer is 401, with a Bearer challenge."""
    forbid: bool = False
    """Say 403 to whoever passed ``require`` and ``lock``."""
    reject: str | None = None
    """Header name with which the answer is 400, as stores of signed URLs say to credentials."""
    head: int | None = None
    """Status of the answer to HEAD, as of servers that do not know it."""
    mint: Tokens | None = None
    """Be a token service."""
    conditional: bool = True
    """Whether validators are sent and ``If-None-Match`` / ``If-Modified-Since`` are heeded."""
    ranges: bool = True
    """Whether ``Range`` is heeded."""
    range_shift: int = 0
    """Answer ranges from an offset this much beside the one asked for."""
    close: bool = False
    """Close the connection after the answer without announcing it."""


HEALTHY = Behaviour()
