"""Who is let in, asked of the authenticator once for each request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from virtreg.backends.auth.anonymous import Anonymous
from virtreg.errors import Forbidden, NotFound, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator
from virtreg.wsgi.bearer import TokenService
from virtreg.wsgi.passes import Passes
from virtreg.wsgi.place import Ping, Served
from virtreg.wsgi.refusing import Hidden
from virtreg.wsgi.scoping import scope_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_NO_REGISTRY: Final = Scope("", "")


class Admission:
    """The authenticator of one application. Thread-safe if that is. ``open``: everybody is let in,
    and nothing need be asked. ``passes``: who was let in a moment ago is not asked about; each
    repetition is told to ``counted``, which may refuse it."""

    def __init__(
        self,
        authenticator: Authenticator,
        tokens: TokenService | None,
        passes: Passes | None = None,
        counted: Callable[[Principal], None] = lambda _: None,
    ) -> None:
        self._authenticator = authenticator
        self._tokens = tokens
        self._passes = passes
        self._counted = counted
        # Exactly: a kind of Anonymous may well refuse somebody.
        self.open: Final = type(authenticator) is Anonymous

    def admit(self, environ: WSGIEnvironment, scope: Scope) -> None:
        """Raises Unauthenticated, Forbidden, Hidden, and what else the authenticator does."""
        passes = self._passes
        if passes is None:
            self._ask(environ, scope)
            return
        key = passes.key(environ, scope)
        holder = passes.holder(key)
        if holder is not None:
            self._counted(holder)
            return
        begun = passes.begin()
        passes.keep(begun, key, self._ask(environ, scope))

    def _ask(self, environ: WSGIEnvironment, scope: Scope) -> Principal:
        try:
            return self._authenticator.admit(_credentials(environ), scope)
        except NotFound as error:
            raise Hidden(error.message) from None

    def admit_to_nothing(self, environ: WSGIEnvironment) -> None:
        """As :meth:`admit` where there is no registry: strangers are challenged there as where
        there is one. Does not raise Forbidden and NotFound, for there is nothing to keep from
        those who are known."""
        try:
            self._authenticator.admit(_credentials(environ), _NO_REGISTRY)
        except (Forbidden, NotFound):
            return

    def ping(self, ping: Ping, environ: WSGIEnvironment) -> None:
        """Ask for each registry that the ping may be about.

        Raises what :meth:`admit` does, except Forbidden and NotFound where there are several: then
        the caller is known, and which registry is meant is not. Nor does it matter there what a
        grant is for: one that is for nothing proves a login. Where the URL names the registry, a
        grant must be for something of it.
        """
        for served in ping.asked_of:
            try:
                self.admit(environ, scope_of(served, ""))
            except (Forbidden, NotFound):
                if len(ping.asked_of) == 1:
                    raise
            except Unauthenticated as error:
                if error.reason != "insufficient_scope":
                    raise
                if ping.named and not self._granted(environ, served):
                    raise

    def _granted(self, environ: WSGIEnvironment, served: Served) -> bool:
        """Whether the grant that is shown, if one is, is for something of the registry."""
        if self._tokens is None:
            return False
        granted = self._tokens.authenticator.granted(_credentials(environ))
        return granted is not None and any(name == served.name for name, _ in granted.access)


def _credentials(environ: WSGIEnvironment) -> Credentials:
    return Credentials(environ.get("HTTP_AUTHORIZATION"), environ)
