"""What an issuer of tokens publishes about itself (OpenID Connect Discovery 1.0), over HTTP."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from jwt import PyJWK

from virtreg.backends.auth.oidc.keys import KeyName, parse_keys
from virtreg.backends.auth.unavailable import SignInUnavailable
from virtreg.backends.http.upstream import HttpUpstream
from virtreg.core.weburl import check_url
from virtreg.errors import ConfigError, InvalidRequest, UpstreamError
from virtreg.model import Fetch, UpstreamSpec

_CONFIGURATION: Final = "/.well-known/openid-configuration"
_LARGEST: Final = 512 * 1024
_SECONDS: Final = 5.0
_TOTAL_SECONDS: Final = 15.0


class Issuer:
    """Fetches the keys of one issuer, through the egress rules of upstreams. Thread-safe.

    ``allow_private`` and ``ca_file`` are as those of an upstream, for the issuer's host and that of
    its keys. Raises ConfigError for an issuer that is no URL, and as upstreams do.
    """

    def __init__(
        self, issuer: str, *, allow_private: tuple[str, ...] = (), ca_file: str | None = None
    ) -> None:
        try:
            check_url(issuer)
            if urlsplit(issuer).query:
                raise ValueError("it has a query")
        except ValueError as error:
            raise ConfigError(f"issuer: {error}") from None
        self._issuer = issuer
        self._allow_private = allow_private
        self._ca_file = ca_file
        self._upstream(issuer).close()  # raises for what cannot be used

    def fetch(self) -> dict[KeyName, PyJWK]:
        """Its keys of this moment. Raises SignInUnavailable, saying why."""
        try:
            # Discovery 1.0, 4: a slash at the end is taken off, and only there.
            told = json.loads(self._get(self._issuer.removesuffix("/") + _CONFIGURATION))
            if not isinstance(told, dict) or told.get("issuer") != self._issuer:
                raise ValueError("its configuration is of another issuer")
            place = told.get("jwks_uri")
            if not isinstance(place, str):
                raise ValueError("its configuration names no keys")
            if self._issuer.startswith("https:") and not place.startswith("https:"):
                raise ValueError("its keys are not at an https URL")
            return parse_keys(self._get(place))
        except UpstreamError as error:
            raise self._unavailable(error.reason) from None
        except (InvalidRequest, ConfigError) as error:
            raise self._unavailable(error.message) from None
        except RecursionError:
            raise self._unavailable("its configuration is nested too deeply") from None
        except ValueError as error:
            raise self._unavailable(str(error)) from None

    def _get(self, url: str) -> bytes:
        parts = urlsplit(url)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        upstream = self._upstream(f"{parts.scheme}://{parts.netloc}")
        try:
            path = unquote(parts.path).removeprefix("/")
            reply = upstream.fetch(Fetch(path, accept="application/json", query=query))
            try:
                if reply.status != 200:
                    raise ValueError(f"{parts.hostname} says {reply.status}")
                body = b""
                while piece := reply.read(_LARGEST + 1 - len(body)):
                    body += piece
                    if len(body) > _LARGEST:
                        raise ValueError(f"{parts.hostname} sends more than {_LARGEST} bytes")
                return body
            finally:
                reply.close()
        finally:
            upstream.close()

    def _upstream(self, url: str) -> HttpUpstream:
        parts = urlsplit(url)
        return HttpUpstream(
            UpstreamSpec(
                name=parts.hostname or "issuer",
                url=f"{parts.scheme}://{parts.netloc}",
                connect_timeout=_SECONDS,
                read_timeout=_SECONDS,
                total_timeout=_TOTAL_SECONDS,
                max_connections=1,
                allow_private=self._allow_private,
                ca_file=self._ca_file,
            )
        )

    def _unavailable(self, reason: str) -> SignInUnavailable:
        return SignInUnavailable(f"issuer {self._issuer}: {reason}", retry_after=5)
