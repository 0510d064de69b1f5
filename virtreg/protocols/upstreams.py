"""Where registries pull from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from virtreg.model import Fetch, Login, Route, UpstreamSpec
from virtreg.protocols.registries import Resolution


class Reply(Protocol):
    """An upstream's answer with its body still on the wire. Used by one thread; always closed."""

    @property
    def status(self) -> int:
        """200 or 206 (found), 304 (unchanged), 404 or 410 (absent). Nothing else."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    @property
    def length(self) -> int | None:
        """Bytes the body will have, or None when the upstream did not say."""
        ...

    def read(self, limit: int) -> bytes:
        """Return up to ``limit`` bytes as soon as any are there, ``b""`` at the true end.

        Raises UpstreamTimeout or UpstreamUnavailable on a stall or a cut; a body shorter than
        ``length`` is a cut, never an end.
        """
        ...

    def close(self) -> None:
        """Give the connection back, or drop it when the body was not read to its end."""
        ...


class Upstream(Protocol):
    """One upstream registry."""

    @property
    def spec(self) -> UpstreamSpec: ...

    def fetch(self, request: Fetch) -> Reply:
        """Ask once, following redirects, and answer when the headers are there.

        ``Reply.status`` is definite. Everything else raises: UpstreamRefused (401, 403), its
        EgressRefused (an address the egress policy forbids, a redirect that may not be followed),
        UpstreamDenied (401, 403 to a token that its token service had just given),
        UpstreamThrottled (429, or 503 with ``Retry-After``; carries ``retry_after``),
        UpstreamTimeout, UpstreamUnavailable (5xx, connection trouble, any other status),
        UpstreamBusy (its own limit of connections was reached), UpstreamError itself (another
        4xx: it is well and does not take this request, which says nothing about the next).
        Credentials go only to the configured origin and to the token service it names, where the
        spec allows that one. HEAD answers as GET does, with ``Reply.length`` from its headers and
        no body.
        """
        ...

    def close(self) -> None: ...


class LocalSource(Protocol):
    """An upstream that is on this server: another registry, or a folder. It is asked by route,
    each time, and its bodies are read where they are."""

    @property
    def spec(self) -> UpstreamSpec: ...

    def resolve(self, route: Route) -> Resolution:
        """What it has under a route without ``checksum``, which ``Format.route`` has checked. The
        caller closes ``Resolution.body``. Raises NotFound for what is not to be had there, and
        UpstreamError when that cannot be told, naming this upstream and nothing behind it."""
        ...

    def describe(self, route: Route) -> Resolution:
        """As ``resolve``, for the facts alone: no body need be fetched for them."""
        ...

    def close(self) -> None: ...


class CredentialProvider(Protocol):
    """Where an upstream's login comes from, when it is not in the configuration."""

    def login(self) -> Login:
        """The login of this moment; slow ones are cached by the caller until ``expires_at``, or
        until the upstream refuses them. Raises UpstreamUnavailable when there is none, without
        telling what was printed or read."""
        ...
