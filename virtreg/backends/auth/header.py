"""A user name that a gateway in front has verified and sends in a header."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from re import compile as pattern
from typing import Final

from virtreg.backends.auth.pulling import need_pull
from virtreg.errors import ConfigError, Unauthenticated
from virtreg.model import Credentials, Principal, Scope

_TOKEN: Final = pattern(r"[!#$%&'*+.^`|~0-9A-Za-z-]+")
_NAME: Final = pattern(r"[^\s,\x00-\x1f\x7f-\x9f]{1,255}")


class TrustedHeader:
    """Admits whom the header ``name`` names to pull from every registry, if the request comes from
    one of ``proxies`` (CIDR).

    ``managing``: also to manage registries, all of them; for use in
    :class:`~virtreg.backends.auth.members.Members`, which goes by their roles. Otherwise they may
    pull and nothing else.

    Anybody else could set the header too, so from any other address it counts for nothing. The
    address is ``REMOTE_ADDR`` of the WSGI environment, the peer of the connection: a server or
    middleware that puts a forwarded address there takes this proof away. The proxy must replace the
    header in every request, also when it is spelled with underscores, which WSGI (PEP 3333) cannot
    tell from hyphens.

    A name is UTF-8 of at most 255 characters without white space, commas or control characters:
    servers join a header that comes twice with a comma. Raises ConfigError for a header's name or a
    range that is none, and where no proxy is named. Immutable.
    """

    def __init__(self, name: str, proxies: Sequence[str], *, managing: bool = False) -> None:
        if _TOKEN.fullmatch(name) is None:
            raise ConfigError(f"trusted header {name!r}: not a header name without underscores")
        if not proxies:
            raise ConfigError(f"trusted header {name!r}: no proxies are trusted to set it")
        try:
            self._proxies = tuple(ip_network(proxy) for proxy in proxies)
        except ValueError as error:
            raise ConfigError(f"trusted header {name!r}: proxies: {error}") from None
        self._managing = managing
        self._name = name
        self._key = "HTTP_" + name.upper().replace("-", "_")

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated, without the header's value."""
        need_pull(scope, managing=self._managing)
        value = credentials.environ.get(self._key)
        if not isinstance(value, str) or not value:
            raise Unauthenticated(f"no user in header {self._name}")
        if not self._trusts(credentials.environ.get("REMOTE_ADDR")):
            raise Unauthenticated(f"header {self._name} does not come from a trusted proxy")
        try:
            user = value.encode("latin-1").decode("utf-8")  # as PEP 3333 has headers
        except UnicodeError:
            user = ""
        if _NAME.fullmatch(user) is None:
            raise Unauthenticated(f"header {self._name} holds no user name")
        return Principal(user)

    def _trusts(self, peer: object) -> bool:
        try:
            address = ip_address(peer if isinstance(peer, str) else "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in proxy for proxy in self._proxies)
