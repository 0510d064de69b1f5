"""Where clients of images get their tokens, told in challenges (RFC 6750, 3; Docker Registry token
authentication)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from attrs import frozen

from virtreg.backends.auth.grants import GrantAuthenticator, Grants
from virtreg.errors import InvalidRequest
from virtreg.formats.container.names import check_name
from virtreg.formats.container.routes import CATALOG
from virtreg.protocols import Authenticator
from virtreg.wsgi.base import base_url, host_of
from virtreg.wsgi.place import Ping, Place
from virtreg.wsgi.scoping import scope_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


@frozen(eq=False)
class TokenService:
    """The token service of one application. ``path`` is below its URL; ``external_url`` is that
    URL where it is not for the request to tell, without a slash at its end."""

    grants: Grants
    authenticator: GrantAuthenticator
    """Decides by grants."""
    logins: Authenticator
    """Decides who gets one. Takes no grant for a login: they would renew themselves for ever."""
    service: str
    path: str
    external_url: str = ""

    def challenge(
        self,
        place: Place | Ping | None,
        environ: WSGIEnvironment,
        error: Literal["", "invalid_token", "insufficient_scope"],
        *,
        by_host: bool,
    ) -> str:
        """``by_host``: the ``Host`` of the request is one that names a registry."""
        parts = {"realm": self._base(environ, by_host) + self.path, "service": self.service}
        scope = _wanted(place) if isinstance(place, Place) else ""
        parts |= {"scope": scope} if scope else {}
        # Without it a client that keeps tokens shows the same one again.
        parts |= {"error": error} if error else {}
        return "Bearer " + ",".join(f'{name}="{value}"' for name, value in parts.items())

    def _base(self, environ: WSGIEnvironment, by_host: bool) -> str:
        if self.external_url and by_host:
            # Else the token would be asked for at a host that means another registry.
            outside = urlsplit(self.external_url)
            return f"{outside.scheme}://{host_of(environ)}{outside.path}"
        return base_url(self.external_url, environ)


def _wanted(place: Place) -> str:
    """The scope that a grant for this place needs, by the name that its URL has for it."""
    if place.path == CATALOG:
        return f"registry:{place.prefix}catalog:*"
    try:
        name = check_name(scope_of(place.served, place.path).repository)
    except InvalidRequest:
        return ""
    return f"repository:{place.prefix}{name}:pull"
