"""Who asks, by address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

_MOST_HOPS = 32


class Addresses:
    """Tells callers apart. Immutable.

    ``trusted`` are the CIDR ranges of reverse proxies, whose ``X-Forwarded-For`` is believed:
    from its end up to the first address that is not theirs, since whatever stands before it may be
    the caller's own invention. Without any the header is not looked at. Raises ValueError for what
    is no CIDR range.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted = tuple(ip_network(cidr) for cidr in trusted)

    def of(self, environ: Mapping[str, Any]) -> str:
        """The caller's IPv4 address, or the /64 of an IPv6 one, of which one customer has at least
        that; empty where the server has none to tell, as behind a Unix socket."""
        peer: str = environ.get("REMOTE_ADDR") or ""
        if self._trusted:
            peer = self._behind(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
        return _place(peer) if ":" in peer else peer

    def _behind(self, peer: str, forwarded: str) -> str:
        hops = forwarded.rsplit(",", _MOST_HOPS)[1 - _MOST_HOPS :] if forwarded else []
        while hops and self._trusts(peer):
            nearer = hops.pop().strip()
            if _parse(nearer) is None:
                break
            peer = nearer
        return peer

    def _trusts(self, peer: str) -> bool:
        if not peer:
            return True  # A Unix socket: only what runs here speaks to it.
        address = _parse(peer)
        return address is not None and any(address in network for network in self._trusted)


@lru_cache(4096)
def _place(text: str) -> str:
    address = _parse(text)
    if not isinstance(address, IPv6Address):
        return text if address is None else str(address)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


@lru_cache(4096)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address, as itself where IPv6 carries IPv4; None for other text."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
