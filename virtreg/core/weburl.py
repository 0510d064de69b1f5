"""Absolute http and https URLs, parsed strictly enough that two readers cannot disagree."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from attrs import field, frozen

_PORTS = {"http": 80, "https": 443}
_TARGET = re.compile(r"[!-~]*")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


@frozen
class WebUrl:
    """A checked URL. Immutable."""

    scheme: str
    host: str
    """Lower-case ASCII name or canonical IP literal, IPv6 without brackets."""
    port: int
    path: str
    """Percent-encoded, at least ``/``."""
    query: str = field(default="", repr=False)
    """Not shown: a signed URL keeps its secret there."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454, 4): what credentials are bound to."""
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's default, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query, as a request line wants them (RFC 9112, 3.2.1)."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def text(self) -> str:
        """The whole URL, query included: for the wire, never for a message."""
        return f"{self.scheme}://{self.authority}{self.target}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def check_url(url: str) -> WebUrl:
    """Parse an absolute http or https URL (RFC 3986).

    Raises ValueError saying what is wrong for: another scheme, user information, a fragment,
    control characters, spaces or non-ASCII outside the host, a port out of range, and hosts that
    some resolvers read as numbers in another way (decimal, octal, hexadecimal, short forms). The
    message never repeats the URL.
    """
    if any(character < " " or character == "\x7f" for character in url):
        raise ValueError("the URL has a control character")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("the URL's host is malformed") from None
    if parts.scheme not in _PORTS:
        raise ValueError("the URL must start with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("the URL must not contain user information")
    if "#" in url:
        raise ValueError("the URL must not contain a fragment")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("the URL's port is out of range")
    path = parts.path or "/"
    if not (_TARGET.fullmatch(path) and _TARGET.fullmatch(parts.query)):
        raise ValueError("the URL's path must be percent-encoded")
    bracketed = "[" in parts.netloc
    host = _check_host(parts.hostname or "", bracketed)
    return WebUrl(parts.scheme, host, port or _PORTS[parts.scheme], path, parts.query)


def _check_host(host: str, bracketed: bool) -> str:
    if not host:
        raise ValueError("the URL has no host")
    if bracketed:
        try:
            address = IPv6Address(host)
        except ValueError:
            raise ValueError("the URL's host is not an IPv6 address") from None
        if address.scope_id is not None:
            raise ValueError("the URL's host must not have a zone")
        return str(address)
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("the URL's host is not a valid name") from None
    if not _NAME.fullmatch(name):
        raise ValueError("the URL's host is not a valid name")
    if _NUMERIC_LABEL.fullmatch(name.rstrip(".").rpartition(".")[2]):
        try:
            return str(IPv4Address(name))
        except ValueError:
            raise ValueError("the URL's host must spell an IPv4 address as a.b.c.d") from None
    return name
