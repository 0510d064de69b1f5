"""The API as a whole: from a request to the endpoint that answers it, and back."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.schemes import scheme
from virtreg.core.httpdate import parse_http_date
from virtreg.errors import Forbidden, NotFound, Unauthenticated, VirtregError
from virtreg.model import Action, Credentials, Headers, Principal, Scope
from virtreg.protocols import Authenticator, Directory
from virtreg.wsgi.api.endpoint import Call, Endpoint
from virtreg.wsgi.api.parameters import from_body, from_query, one_of
from virtreg.wsgi.api.problems import BadParameters, encoded
from virtreg.wsgi.refusing import InternalError, MethodNotAllowed
from virtreg.wsgi.sizes import check_sizes

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_log = logging.getLogger(__name__)

ROOT: Final = "/api/v4"

_HEADERS: Headers = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
_JSON: Headers = (("Content-Type", "application/json"),)
_SAFE = ("GET", "HEAD")
_OF_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""What a page can have a browser send without being asked (Fetch, 2.2.2)."""
_PULLS = f"{ROOT}/virtual_registries/packages/"
_PULL = re.compile(re.escape(_PULLS) + r"[^/]+/[0-9]+(/.*)?", re.DOTALL)
_MOST_DIGITS = 15
"""Numbers of more name nothing that could be kept."""


class Api:
    """Thread-safe if its endpoints are.

    Where ``authenticator`` lets strangers in, the API does not: everybody might change everything.
    ``directory`` says which groups are switched off.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        authenticator: Authenticator,
        directory: Directory,
        realm: str,
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._authenticator = authenticator
        self._directory = directory
        self._realm = realm

    def concerns(self, asked: str) -> bool:
        """Whether the path, as WSGI's ``PATH_INFO``, is the API's. Pulls of packages come below its
        root as well."""
        if not asked.startswith(f"{ROOT}/") or _PULL.fullmatch(asked) is not None:
            return False
        if not asked.startswith(_PULLS):
            return True
        below = asked.removeprefix(ROOT)
        return any(endpoint.pattern.fullmatch(below) for endpoint in self._endpoints)

    def answer(self, environ: WSGIEnvironment) -> tuple[int, Headers, bytes]:
        """Status, headers and body, whatever happens; to HEAD the body is not to be sent."""
        try:
            return self._answer(environ)
        except VirtregError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the last line before the server's own 500
            method, asked = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
            _log.error("%s %r failed", method, asked, exc_info=error)
            failure = InternalError("an internal error; the server's log has the details")
        return _with_length(failure.status, self._headers(failure), encoded(failure))

    def _headers(self, failure: VirtregError) -> Headers:
        headers = _HEADERS + _JSON
        if isinstance(failure, Unauthenticated):
            reason = f', error="{failure.reason}"' if failure.reason else ""
            headers += (("WWW-Authenticate", f'Bearer realm="{self._realm}"{reason}'),)
        if isinstance(failure, MethodNotAllowed):
            headers += (("Allow", failure.allowed),)
        if failure.retry_after is not None:
            headers += (("Retry-After", str(max(1, round(failure.retry_after)))),)
        return headers

    def _answer(self, environ: WSGIEnvironment) -> tuple[int, Headers, bytes]:
        check_sizes(environ)
        endpoint, path = self._endpoint(environ)
        if environ["REQUEST_METHOD"] not in _SAFE:
            _refuse_cross_site(environ)
        _check_numbers(path)
        query = None if endpoint.query is None else from_query(endpoint.query, environ)
        body = None if endpoint.body is None else from_body(endpoint.body, environ)
        if body is not None and endpoint.needs_any:
            one_of(body)
        since = _unmodified_since(environ) if endpoint.heeds_unmodified else None
        answer = endpoint.run(Call(environ, path, query, body, self._admitting(environ), since))
        if answer.content is None:
            return answer.status, _HEADERS + answer.headers, b""
        content = msgspec.json.encode(answer.content)
        return _with_length(answer.status, _HEADERS + _JSON + answer.headers, content)

    def _endpoint(self, environ: WSGIEnvironment) -> tuple[Endpoint, dict[str, str]]:
        try:
            # PEP 3333: bytes as Latin-1.
            asked = environ.get("PATH_INFO", "").encode("latin-1").decode().removeprefix(ROOT)
        except UnicodeError:
            raise NotFound("there is no such URL") from None
        method = environ["REQUEST_METHOD"]
        wanted = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        for endpoint in self._endpoints:
            found = endpoint.pattern.fullmatch(asked)
            if found is not None:
                if endpoint.method == wanted:
                    return endpoint, found.groupdict()
                allowed.add(endpoint.method)
        if not allowed:
            raise NotFound("there is no such URL")
        if "GET" in allowed:
            allowed.add("HEAD")
        raise MethodNotAllowed(f"{method}: is not for this URL", ", ".join(sorted(allowed)))

    def _admitting(self, environ: WSGIEnvironment) -> Callable[[Action, str], Principal]:
        credentials = Credentials(environ.get("HTTP_AUTHORIZATION"), environ)

        def admit(action: Action, name: str) -> Principal:
            scope = Scope(registry="", path="", action=action, group=name)
            principal = self._authenticator.admit(credentials, scope)
            if principal == ANONYMOUS:
                raise Unauthenticated("this is for those who sign in; here nobody does")
            # Last: to strangers a group that is switched off is as one that is not there.
            group = self._directory.group(name)
            if group is not None and not group.enabled and action != "switch":
                raise NotFound("the group's virtual registries are switched off")
            return principal

        return admit


def _with_length(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return status, (*headers, ("Content-Length", str(len(body)))), body


def _check_numbers(path: Mapping[str, str]) -> None:
    """Raises BadParameters."""
    for name, text in path.items():
        number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
        if name.endswith("id") and not number:
            raise BadParameters({name: "is invalid"}, {name: "must be a number"})


def _unmodified_since(environ: WSGIEnvironment) -> float | None:
    """A date that is none is ignored (RFC 9110, 13.1.4)."""
    text = environ.get("HTTP_IF_UNMODIFIED_SINCE")
    return None if text is None else parse_http_date(text)


def _is_of(origin: str, host: str) -> bool:
    """Whether it is the page of a host, with its port."""
    try:
        return host != "" and urlsplit(origin).netloc == host
    except ValueError:
        return False


def _refuse_cross_site(environ: WSGIEnvironment) -> None:
    """Another site's page must not act with the login that a browser keeps for this one (Fetch
    Metadata; RFC 6454, 7). Clients that are no browsers send neither header, nor do old browsers
    with the forms that they post, together with a password they were once asked for, wherever a
    page wants. Raises Forbidden."""
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or _is_of(origin, environ.get("HTTP_HOST", ""))
    if not own:
        raise Forbidden("Origin: changes are not taken from the pages of other sites")
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    kept = scheme(environ.get("HTTP_AUTHORIZATION", "")) == "basic"
    if kept and site is None and origin is None and media_type in _OF_FORMS:
        raise Forbidden("Content-Type: must be application/json where Basic is used")
