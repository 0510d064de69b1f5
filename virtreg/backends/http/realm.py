"""Which token service a registry may send us to.

A registry names the token service in its challenge, so without a rule any registry could have the
credentials sent anywhere.
"""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from publicsuffixlist import PublicSuffixList

from virtreg.core.egress import WebUrl, check_url
from virtreg.errors import EgressRefused

_LONGEST = 2048
_OURS = frozenset(
    {
        "service",
        "scope",
        "client_id",
        "grant_type",
        "access_type",
        "account",
        "username",
        "password",
        "refresh_token",
        "token",
        "access_token",
        "offline_token",
    }
)


_SHARED = frozenset({"azurecr.cn", "azurecr.io", "azurecr.us", "jfrog.io"})
"""Domains below which everybody's registries lie, and which the public suffix list lacks."""


class RealmGuard:
    """Checks the realms that one upstream's challenges name. Immutable.

    ``allowed`` are hosts, or ``host:port``; raises ValueError for one that is neither.
    """

    def __init__(self, upstream: str, allowed: tuple[str, ...]) -> None:
        self._upstream = upstream
        self._allowed = frozenset(_parse(text) for text in allowed)

    def check(self, realm: str, asked: WebUrl) -> WebUrl:
        """The realm in the challenge of ``asked``, as a URL that may be sent credentials.

        It must be https, or http where the registry is; on the registry's own host, on one of the
        same registrable domain (by the public suffix list, its private part included, and a few
        more domains that registries share), or on one that is allowed. Raises EgressRefused naming
        the realm's host.
        """
        try:
            if len(realm) > _LONGEST:
                raise ValueError("the URL is too long")
            url = check_url(realm)
            names = {name.lower() for name, _ in parse_qsl(url.query, keep_blank_values=True)}
        except ValueError as error:
            raise self._refused(f"the realm {asked.host} names cannot be used: {error}") from None
        if url.scheme == "http" and asked.scheme == "https":
            raise self._refused(f"token service {url.authority} is http and {asked.host} is https")
        if names & _OURS:
            raise self._refused(f"token service {url.authority}: its URL has parameters of ours")
        if not self._trusts(url, asked):
            raise self._refused(
                f"token service {url.authority} is not of {asked.host};"
                " list its host in token_realms to send it credentials"
            )
        return url

    def _trusts(self, url: WebUrl, asked: WebUrl) -> bool:
        host, home = url.host.rstrip("."), asked.host.rstrip(".")
        if host == home or {(host, None), (host, url.port)} & self._allowed:
            return True
        domain = _registrable(host)
        return domain is not None and domain == _registrable(home)

    def _refused(self, said: str) -> EgressRefused:
        return EgressRefused(f"upstream {self._upstream!r}: {said}", upstream=self._upstream)


def _parse(text: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"https://{text}")
        url = check_url(parts.geturl())
        plain = url.target == "/" and not text.endswith(("/", "?"))
        port = parts.port
    except ValueError:
        plain, port = False, None
    if not plain:
        raise ValueError(f"{text!r} is neither a host nor host:port")
    return url.host.rstrip("."), port


def _registrable(host: str) -> str | None:
    """The domain somebody registered; None for addresses and for names below no known suffix,
    where nothing says who shares a domain."""
    try:
        ip_address(host)
    except ValueError:
        domain = _suffixes().privatesuffix(host)
    else:
        return None
    if domain not in _SHARED:
        return domain
    tenant = host.removesuffix(domain).rstrip(".").rpartition(".")[2]
    return f"{tenant}.{domain}" if tenant else None


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
