"""The WSGI application.

A repeated request is answered from the ready table before anything is parsed; everything else
takes the long way through route, resolve and respond. One instance serves any number of threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from virtreg.backends.auth.anonymous import Anonymous
from virtreg.core.conditional import FULL
from virtreg.errors import NotFound, StorageError, Unauthenticated, VirtregError
from virtreg.model import Credentials, Headers, Problem, Scope
from virtreg.protocols import Authenticator, CacheStore, Format, VirtualRegistry
from virtreg.wsgi.keeping import ready_absence, ready_answer
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.probes import Probes
from virtreg.wsgi.problems import plain_problem
from virtreg.wsgi.ready import SMALL, Ready, ReadyAnswers
from virtreg.wsgi.serving import conditions, range_headers, respond, status_line, with_length
from virtreg.wsgi.surfaces import Surfaces, refuse_hidden_slash
from virtreg.wsgi.transfer import FileWrapper, transfer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_log = logging.getLogger(__name__)


class MethodNotAllowed(VirtregError):
    """A virtual registry is read-only on its file endpoints."""

    status = 405
    code = "method_not_allowed"


class InternalError(VirtregError):
    """A bug, told without its details; they are in the log."""


class Application:
    """Serves registries below the URL it is mounted at. Thread-safe."""

    def __init__(
        self,
        registries: Iterable[VirtualRegistry],
        store: CacheStore,
        ready: ReadyAnswers,
        ledger: Ledger,
        probes: Probes,
        authenticator: Authenticator,
        realm: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._surfaces = Surfaces(registries)
        self._store = store
        self._ready = ready
        self._ledger = ledger
        self._probes = probes
        self._authenticator = authenticator
        # Exactly: a kind of Anonymous may well refuse somebody.
        self._open = type(authenticator) is Anonymous
        self._realm = realm
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked: str = environ.get("PATH_INFO", "")
        ready = self._ready.get(asked)
        if ready is not None:
            answered = self._repeat(ready, asked, environ, start_response)
            if answered is not None:
                return answered
        return self._answer(asked, environ, start_response)

    def _repeat(
        self,
        ready: Ready,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes] | None:
        """The ready answer, or None when this request needs the long way."""
        method = environ["REQUEST_METHOD"]
        now = self._clock()
        if (
            not ready.made_at <= now < ready.expires_at
            or method not in ("GET", "HEAD")
            or "HTTP_RANGE" in environ
            or "HTTP_IF_NONE_MATCH" in environ
            or "HTTP_IF_MODIFIED_SINCE" in environ
            or "HTTP_IF_MATCH" in environ
            or "HTTP_IF_UNMODIFIED_SINCE" in environ
            or "%" in (environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
        ):
            return None
        if not self._open:
            try:
                self._admit(environ, ready.scope)
            except VirtregError as error:
                # Not the long way, which would ask twice: the time an answer takes must not tell
                # a stranger what others asked for.
                format = self._surfaces.registry(asked)[0].format  # noqa: A001
                return self._refuse(error, format, asked, environ, start_response)
            except Exception:  # noqa: BLE001 - the long way meets it again and tells it
                return None
        ready.used = True
        body = ready.body
        if method == "HEAD":
            self._ledger.add((now, method, asked, ready.code, 0, ready.origin, "", ready.path))
            start_response(ready.status, ready.headers[:])
            return []
        if body is None:
            sent = self._stored(ready, environ)
            if sent is None:
                self._ready.discard(asked)
                return None
            self._ledger.add(
                (now, method, asked, 200, ready.size, ready.origin, ready.source, ready.path)
            )
            start_response(ready.status, ready.headers[:])
            return sent
        self._ledger.add(
            (now, method, asked, ready.code, ready.size, ready.origin, ready.source, ready.path)
        )
        start_response(ready.status, ready.headers[:])
        return [body]

    def _stored(self, ready: Ready, environ: WSGIEnvironment) -> Iterable[bytes] | None:
        """The blob of a ready answer; None when it is gone or damaged, which the long way mends."""
        try:
            body = self._store.open(ready.key)
            if body.size not in (ready.size, None):
                body.close()
                return None
            return transfer(body, FULL, file_wrapper=_sendfile(environ))
        except StorageError:
            return None

    def _answer(
        self, asked: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if asked.startswith("/-/"):
            return self._probes.answer(asked, environ["REQUEST_METHOD"], start_response)
        format: Format | None = None  # noqa: A001 - the protocol's word
        try:
            registry, path = self._surfaces.registry(asked)
            format = registry.format  # noqa: A001
            return self._file(registry, path, asked, environ, start_response)
        except VirtregError as error:
            return self._refuse(error, format, asked, environ, start_response)
        except Exception as error:  # noqa: BLE001 - the last line before the server's own 500
            # Quoted: a path must not be able to begin a line of its own in a log.
            _log.error("%s %r failed", environ["REQUEST_METHOD"], asked, exc_info=error)
            failure = InternalError("an internal error; the server's log has the details")
            return self._refuse(failure, format, asked, environ, start_response)

    def _file(
        self,
        registry: VirtualRegistry,
        path: str,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        scope = Scope(registry.spec.name, path)
        if not self._open:
            self._admit(environ, scope)
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"{method}: a virtual registry is read-only")
        refuse_hidden_slash(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
        route = registry.format.route(path)
        epoch = self._ready.epoch
        try:
            resolution = registry.resolve(route)
        except NotFound as error:
            problem = registry.format.problem(error)
            now = self._clock()
            if error.expires_at > now:
                self._ready.put(asked, ready_absence(scope, route, problem, error, now), epoch)
            return self._tell(problem, error, asked, environ, start_response)
        body = resolution.body
        try:
            response = respond(registry.format, resolution, conditions(environ))
            now = self._clock()
            if response.answer is FULL and resolution.expires_at > now:
                kept = ready_answer(scope, resolution, response.headers, now)
                if kept is not None:
                    self._ready.put(asked, kept, epoch)
        except BaseException:
            body.close()
            raise
        counted = method == "GET" and response.status != 304
        self._ledger.add(
            (
                self._clock(),
                method,
                asked,
                response.status,
                response.length if counted else 0,
                resolution.origin,
                resolution.source if counted and route.checksum is None else "",
                route.path,
            )
        )
        if response.answer is None:
            body.close()
            sent: Iterable[bytes] = []
        else:
            sent = transfer(
                body,
                response.answer,
                head=method == "HEAD",
                file_wrapper=_sendfile(environ) if response.length > SMALL else None,
            )
        # Last: an error that comes before it can still be told.
        start_response(status_line(response.status), list(response.headers))
        return sent

    def _refuse(
        self,
        error: VirtregError,
        format: Format | None,  # noqa: A002 - the protocol's word
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        problem = plain_problem(error) if format is None else format.problem(error)
        more: Headers = range_headers(error)
        if isinstance(error, Unauthenticated) and format is not None:
            more += (("WWW-Authenticate", format.challenge(self._realm)),)
        if isinstance(error, MethodNotAllowed):
            more += (("Allow", "GET, HEAD"),)
        return self._tell(problem, error, asked, environ, start_response, more)

    def _tell(
        self,
        problem: Problem,
        error: VirtregError,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        more: Headers = (),
    ) -> Iterable[bytes]:
        headers = with_length(problem.headers, problem.body) + more
        method = environ["REQUEST_METHOD"]
        body = b"" if method == "HEAD" else problem.body
        self._ledger.add(
            (self._clock(), method, asked, problem.status, len(body), error.code, "", "")
        )
        start_response(status_line(problem.status), list(headers))
        return [body]

    def _admit(self, environ: WSGIEnvironment, scope: Scope) -> None:
        """Raises Unauthenticated or Forbidden."""
        self._authenticator.admit(Credentials(environ.get("HTTP_AUTHORIZATION"), environ), scope)


def _sendfile(environ: WSGIEnvironment) -> FileWrapper | None:
    """The server's file wrapper where it is a real sendfile; elsewhere our own pieces are
    larger, and so faster, than the usual 8 KiB."""
    software = environ.get("SERVER_SOFTWARE", "")
    if software.startswith("gunicorn") or "uwsgi.version" in environ:
        wrapper: FileWrapper | None = environ.get("wsgi.file_wrapper")
        return wrapper
    return None
