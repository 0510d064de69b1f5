"""Who asks, by address."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Any

_log = logging.getLogger(__name__)

_MOST_HOPS = 32
_LONGEST = 100
"""Characters of an address with zone and port; zones are names of interfaces."""

_ADDRESS = re.compile(
    r"(?P<v4>[0-9.]+)(?::[0-9]{1,5})?"
    r"|(?P<v6>[0-9A-Fa-f:.]+)(?:%[^\s\[\]%]+)?"
    r"|\[(?P<bracketed>[0-9A-Fa-f:.]+)(?:%[^\s\[\]%]+)?\](?::[0-9]{1,5})?"
)


class Addresses:
    """Tells callers apart. Thread-safe.

    ``trusted`` are the CIDR ranges of reverse proxies, whose ``X-Forwarded-For`` is believed:
    from its end up to the first address that is not theirs, since whatever stands before it may be
    the caller's own invention. Some proxies write the caller's port behind the address; it counts
    for nothing, nor does the zone of an IPv6 address (RFC 4007, 11). Without any the header is not
    believed, and that it came is logged once. Raises ValueError for what is no CIDR range.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted = tuple(ip_network(cidr) for cidr in trusted)
        self._warned = bool(self._trusted)

    def of(self, environ: Mapping[str, Any]) -> str:
        """The caller's IPv4 address, or the /64 of an IPv6 one, of which one customer has at least
        that; empty where the server has none to tell, as behind a Unix socket."""
        peer: str = environ.get("REMOTE_ADDR") or ""
        if self._trusted:
            peer = self._behind(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
        elif not self._warned and "HTTP_X_FORWARDED_FOR" in environ:
            self._warn()
        return _place(peer) if ":" in peer else peer

    @property
    def trusting(self) -> bool:
        """Whether any proxy is believed."""
        return bool(self._trusted)

    def peer(self, environ: Mapping[str, Any]) -> IPv4Address | IPv6Address | None:
        """The caller's address itself; None where the server has none to tell, or a proxy hands on
        what is no address."""
        told: str = environ.get("REMOTE_ADDR") or ""
        if self._trusted:
            told = self._behind(told, environ.get("HTTP_X_FORWARDED_FOR", ""), unknown="")
        return _parse(told)

    def _warn(self) -> None:
        # Two threads at once may say it twice, which is no harm.
        self._warned = True
        _log.warning(
            "a request came with X-Forwarded-For, and no proxy is trusted to say who asks: "
            "if there is a reverse proxy in front, all callers behind it share one limit, also "
            "that of failed sign-ins, and one part of what may wait; name it in "
            "`[server] trusted_proxies`"
        )

    def _behind(self, peer: str, forwarded: str, unknown: str | None = None) -> str:
        """``unknown`` stands for a hop that is no address; by default that is the proxy's own."""
        hops = forwarded.rsplit(",", _MOST_HOPS)[1 - _MOST_HOPS :] if forwarded else []
        while hops and self._trusts(peer):
            nearer = _parse(hops.pop().strip())
            if nearer is None:
                return peer if unknown is None else unknown
            peer = str(nearer)
        return peer

    def _trusts(self, peer: str) -> bool:
        if not peer:
            return True  # A Unix socket: only what runs here speaks to it.
        address = _parse(peer)
        return address is not None and any(address in network for network in self._trusted)


def _place(text: str) -> str:
    address = _parse(text)
    if not isinstance(address, IPv6Address):
        return text if address is None else str(address)
    return _network(address)


@lru_cache(4096)
def _network(address: IPv6Address) -> str:
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address, as itself where IPv6 carries IPv4; None for other text."""
    return _parse_short(text) if len(text) <= _LONGEST else None


@lru_cache(4096)
def _parse_short(text: str) -> IPv4Address | IPv6Address | None:
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    try:
        if match["v4"]:
            return IPv4Address(match["v4"])
        address = IPv6Address(match["v6"] or match["bracketed"])
    except ValueError:
        return None
    return address.ipv4_mapped or address
