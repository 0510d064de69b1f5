"""``/-/metrics``, for Prometheus and whoever else may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final

from attrs import frozen

from virtreg.errors import VirtregError
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.hosts import LocalHosts

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PATH: Final = "/-/metrics"

_FOR = "HTTP_X_FORWARDED_FOR"

_PROXIED = (
    _FOR,
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


@frozen(eq=False)
class FiguresPage:
    """Thread-safe."""

    render: Callable[[], tuple[str, bytes]]
    """The page and its media type, which comes first."""
    addresses: Addresses
    allowed: Sequence[IPv4Network | IPv6Network]
    hosts: LocalHosts

    @classmethod
    def for_peers(
        cls,
        render: Callable[[], tuple[str, bytes]],
        allow: Iterable[str],
        trusted: Iterable[str],
        hosts: Iterable[str] = (),
    ) -> FiguresPage:
        """``allow`` are CIDR ranges of who may read it, ``trusted`` those of reverse proxies.
        ``hosts``: names under which browsers may, besides addresses and local names. Raises
        ValueError for what is no CIDR range."""
        networks = tuple(ip_network(cidr) for cidr in allow)
        return cls(render, Addresses(trusted), networks, LocalHosts(hosts))

    def concerns(self, asked: str, environ: WSGIEnvironment) -> bool:
        """False also for whoever may not read it, to whom there is no such page.

        What came through a proxy that nobody trusts, or that does not say for whom, came from
        anywhere, and so did what came through a Unix socket without a word from whom. A page of
        the web that has its own name lead here reads nothing with the browser of who may.
        """
        if asked != PATH:
            return False
        told = self.addresses.trusting and _FOR in environ
        if not told and any(name in environ for name in _PROXIED):
            return False
        peer = self.addresses.peer(environ)
        if peer is None or not any(peer in network for network in self.allowed):
            return False
        try:
            self.hosts.check(environ)
        except VirtregError:
            return False
        return True

    def answer(self, method: str, start_response: StartResponse) -> Iterable[bytes]:
        media_type, body = self.render()
        headers = [
            ("Content-Type", media_type),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Content-Length", str(len(body))),
        ]
        start_response("200 OK", headers)
        return [b"" if method == "HEAD" else body]
