"""Errors as answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from virtreg.errors import NotFound, Unauthenticated, VirtregError
from virtreg.formats import named
from virtreg.model import Headers, Problem
from virtreg.protocols import Format
from virtreg.wsgi.bearer import TokenService
from virtreg.wsgi.distribution import FORMAT
from virtreg.wsgi.place import Ping, Place
from virtreg.wsgi.problems import plain_problem
from virtreg.wsgi.serving import range_headers
from virtreg.wsgi.surfaces import Surfaces

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class MethodNotAllowed(VirtregError):
    """A virtual registry is read-only on its file endpoints."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, allowed: str = "GET, HEAD") -> None:
        super().__init__(message)
        self.allowed = allowed


class Hidden(NotFound):
    """There is a registry, and the caller may not know it: told as if there were none."""


class InternalError(VirtregError):
    """A bug, told without its details; they are in the log."""


def check_method(method: str) -> None:
    """Raises MethodNotAllowed for all that would change something."""
    if method not in ("GET", "HEAD"):
        raise MethodNotAllowed(f"{method}: a virtual registry is read-only")


@frozen(eq=False)
class Refusing:
    """Puts errors in the words of whoever speaks at a URL. Immutable."""

    surfaces: Surfaces
    realm: str
    """Of Basic."""
    tokens: TokenService | None

    def refusal(
        self, error: VirtregError, place: Place | Ping | None, asked: str, environ: WSGIEnvironment
    ) -> tuple[Problem, Headers]:
        """The problem, plain where no format speaks, and its further headers. ``place`` is None
        where there is none."""
        if isinstance(error, Hidden):
            return self._refusal(*self.surfaces.absence(asked, environ), None, environ)
        if self.tokens is not None and asked == self.tokens.path:
            images = self.surfaces.images
            return self._basic(error, images[0].format if images else named(FORMAT))
        speaker = self.surfaces.format(asked) if place is None else place.format
        problem, more = self._refusal(error, speaker, place, environ)
        return problem, more if place is None else (*more, *place.headers)

    def _basic(self, error: VirtregError, speaker: Format) -> tuple[Problem, Headers]:
        return _told(error, speaker, speaker.challenge(self.realm))

    def _refusal(
        self,
        error: VirtregError,
        speaker: Format | None,
        place: Place | Ping | None,
        environ: WSGIEnvironment,
    ) -> tuple[Problem, Headers]:
        if speaker is None or not isinstance(error, Unauthenticated):
            return _told(error, speaker)
        if self.tokens is None or speaker.name != FORMAT:
            return self._basic(error, speaker)
        by_host = self.surfaces.by_host(environ)
        challenge = self.tokens.challenge(place, environ, error.reason, by_host=by_host)
        return _told(error, speaker, challenge)


def _told(
    error: VirtregError, speaker: Format | None, challenge: str = ""
) -> tuple[Problem, Headers]:
    problem = plain_problem(error) if speaker is None else speaker.problem(error)
    more: Headers = range_headers(error)
    if challenge and isinstance(error, Unauthenticated):
        more += (("WWW-Authenticate", challenge),)
    if isinstance(error, MethodNotAllowed):
        more += (("Allow", error.allowed),)
    return problem, more
