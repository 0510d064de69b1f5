"""Which ``Host`` names are answered.

A web page may have its own name resolve to the address of this server, and then read from it what
only its visitor may reach (DNS rebinding). The name stays the page's own, in ``Host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, ClassVar

from virtreg.errors import InvalidRequest, VirtregError

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-][A-Za-z0-9_.-]*)(?::([0-9]{0,5}))?")
_PORT = re.compile(r"(.+):(80|443)")
"""Clients leave these out, of URLs with http and https (RFC 9110, 4.2.1 and 4.2.2)."""

# Names that nobody outside can have point here: of one label, and below domains that no public
# name server answers for (RFC 6761, 6762, 8375; the last is reserved for private use).
_LOCAL_DOMAINS = ("localhost", "test", "local", "home.arpa", "internal")

_MOST_KNOWN = 64

_BROWSING = (
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_COOKIE",
    "HTTP_ORIGIN",
    "HTTP_REFERER",
    "HTTP_SEC_FETCH_MODE",
)
"""Browsers send one of these with every request, whatever a page wants; package clients none."""


class WrongHost(VirtregError):
    """The request was meant for another server (RFC 9110, 15.5.20)."""

    status: ClassVar[int] = 421
    code: ClassVar[str] = "wrong_host"


class AllowedHosts:
    """Answers under these names alone, each on any port or, if it has one, on that port; one with
    port 80 or 443 also where the request names no port. IPv6 addresses are in brackets. A request
    without ``Host`` (HTTP/1.0) is none of a browser, and
    passes. Immutable."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(each for name in names for each in spellings(name))

    def check(self, environ: WSGIEnvironment) -> None:
        """Raises WrongHost, and InvalidRequest for a ``Host`` that is none."""
        host, port = asked(environ)
        on_port = f"{host}:{port}"
        if host and host not in self._names and on_port not in self._names:
            raise WrongHost(f"Host {host[:255]!r} is not among the allowed hosts of this server")


class LocalHosts:
    """For a server that everybody on its machine may pull from: a browser is answered under
    addresses and under names that only this network has, and those of ``names``. Other clients
    are answered under any name, since a reverse proxy may hand on the public one. Thread-safe.

    ``names`` as for :class:`AllowedHosts`.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._named = AllowedHosts(names)
        self._known: set[str] = set()
        """Values that proved local: nearly every request has the same one or two."""

    def check(self, environ: WSGIEnvironment) -> None:
        """Raises WrongHost, and InvalidRequest for a ``Host`` that is none."""
        text: str = environ.get("HTTP_HOST", "")
        if text in self._known:
            return
        host, _ = asked(environ)
        if not host or _local(host):
            if len(self._known) < _MOST_KNOWN:
                self._known.add(text)
        elif _browses(environ):
            try:
                self._named.check(environ)
            except WrongHost as error:
                raise WrongHost(
                    f"{error.message}: add it there if browsers may use this name"
                ) from None


def asked(environ: WSGIEnvironment) -> tuple[str, str]:
    """Host and port that the request names, empty where it names none; the host in lower case and
    without a last dot. Raises InvalidRequest for what is no host (RFC 9110, 7.2)."""
    text: str = environ.get("HTTP_HOST", "")
    if not text:
        return "", ""
    match = _HOST.fullmatch(text)
    if match is None:
        raise InvalidRequest("header Host is malformed")
    return match[1].lower().removesuffix("."), match[2] or ""


def spellings(name: str) -> tuple[str, ...]:
    """What ``host:port``, as :func:`asked` has them with a colon between, may be for a configured
    name of this server that has a port; the name itself, for any port, where it has none."""
    lower = name.lower().removesuffix(".")
    usual = _PORT.fullmatch(lower)
    return (lower,) if usual is None else (lower, f"{usual[1]}:")


def _local(host: str) -> bool:
    if "." not in host or host.startswith("["):
        return True
    try:
        ip_address(host)
    except ValueError:
        return host.endswith(tuple(f".{domain}" for domain in _LOCAL_DOMAINS))
    return True


def _browses(environ: WSGIEnvironment) -> bool:
    return any(name in environ for name in _BROWSING) or environ.get(
        "HTTP_USER_AGENT", ""
    ).startswith("Mozilla/")
