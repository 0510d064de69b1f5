"""``/-/metrics``, for Prometheus and whoever else may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final

from attrs import frozen

from virtreg.wsgi.addresses import Addresses

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PATH: Final = "/-/metrics"

_PROXIED = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")


@frozen(eq=False)
class FiguresPage:
    """Thread-safe."""

    render: Callable[[], tuple[str, bytes]]
    """The page and its media type, which comes first."""
    addresses: Addresses
    allowed: Sequence[IPv4Network | IPv6Network]

    @classmethod
    def for_peers(
        cls, render: Callable[[], tuple[str, bytes]], allow: Iterable[str], trusted: Iterable[str]
    ) -> FiguresPage:
        """``allow`` are CIDR ranges of who may read it, ``trusted`` those of reverse proxies.
        Raises ValueError for what is no CIDR range."""
        return cls(render, Addresses(trusted), tuple(ip_network(cidr) for cidr in allow))

    def concerns(self, asked: str, environ: WSGIEnvironment) -> bool:
        """False also for whoever may not read it, to whom there is no such page.

        What came through a proxy that nobody trusts came from anywhere, and so did what came
        through a Unix socket without a word from whom.
        """
        if asked != PATH:
            return False
        if not self.addresses.trusting and any(name in environ for name in _PROXIED):
            return False
        peer = self.addresses.peer(environ)
        return peer is not None and any(peer in network for network in self.allowed)

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
