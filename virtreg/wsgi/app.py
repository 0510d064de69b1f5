"""The WSGI application.

A repeated request is answered from the ready table before anything is parsed; everything else
takes the long way through route, resolve and respond. One instance serves any number of threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from virtreg.core.conditional import FULL
from virtreg.correlation import CURRENT
from virtreg.errors import (
    InvalidRequest,
    Missing,
    NotFound,
    Overloaded,
    StorageError,
    StoreUnavailable,
    VirtregError,
)
from virtreg.events import AuditEvent
from virtreg.model import Headers, Principal
from virtreg.protocols import Authenticator, CacheStore, Defers, VirtualRegistry
from virtreg.service.opening import opener, trusted
from virtreg.service.turns import THREADS, Turns, send_turn
from virtreg.spans import Tracer
from virtreg.wsgi import pings
from virtreg.wsgi.admission import Admission
from virtreg.wsgi.bearer import TokenService
from virtreg.wsgi.distribution import DOCUMENTED
from virtreg.wsgi.figures import FiguresPage
from virtreg.wsgi.granting import Granting
from virtreg.wsgi.identifying import GIVEN, Identifying
from virtreg.wsgi.keeping import ready_absence, ready_answer
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.looking import look
from virtreg.wsgi.overload import within
from virtreg.wsgi.passes import Passes
from virtreg.wsgi.place import Ping, Place, Served, check_path
from virtreg.wsgi.probes import Probes
from virtreg.wsgi.query import asks
from virtreg.wsgi.reading import reading
from virtreg.wsgi.ready import SMALL, Ready, ReadyAnswers
from virtreg.wsgi.redirecting import Redirecting
from virtreg.wsgi.refusing import InternalError, Refusing, check_method
from virtreg.wsgi.scoping import scope_of
from virtreg.wsgi.serving import conditions, respond, status_line
from virtreg.wsgi.sizes import check_sizes
from virtreg.wsgi.surfaces import Surfaces, refuse_hidden_slash
from virtreg.wsgi.telling import Telling
from virtreg.wsgi.transfer import Transfer, sendfile, transfer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from virtreg.wsgi.api.application import Api

_log = logging.getLogger(__name__)

_API = "/api/v4/"

_UNTRACED: AbstractContextManager[object] = nullcontext()

_PRIVATE: Headers = (("Cache-Control", "private, no-cache"),)
"""Of what not everybody may have: a cache between us and a caller must not hand it to the next
(RFC 9111, 5.2.2.7), and only ``Authorization`` would tell it so by itself."""


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
        documented_images: str = DOCUMENTED,
        tokens: TokenService | None = None,
        notify: Callable[[AuditEvent], None] = lambda _: None,
        checks: Sequence[Callable[[WSGIEnvironment], None]] = (),
        api: Api | None = None,
        passes: Passes | None = None,
        counted: Callable[[Principal], None] = lambda _: None,
        figures: FiguresPage | None = None,
        tracer: Tracer | None = None,
        redirecting: Redirecting | None = None,
        turns: Turns | None = None,
    ) -> None:
        """``documented_images``: below ``/v2/``, before the id of a registry of images. ``tokens``:
        where clients of images are sent for their tokens; without it they must log in by Basic.
        ``checks`` are asked about every request before anything else, except about probes, and
        raise what is wrong with it. ``api`` is what registries are managed by. ``passes`` and
        ``counted`` as for :class:`virtreg.wsgi.admission.Admission`. ``figures`` is the page of
        metrics, where there is one. ``turns``: None is those of a server with the usual number of
        threads."""
        self._documented_images = documented_images
        self._realm = realm
        self._tokens = tokens
        self._notify = notify
        self._api = api
        self._open_known = opener(store)
        self._redirecting = redirecting
        self._ready = ready
        self._ledger = ledger
        self._probes = probes
        self._telling = Telling(ledger, clock)
        self._admission = Admission(authenticator, tokens, passes, counted)
        self._passes = passes
        self._open = self._admission.open
        self._clock = clock
        self._checks = tuple(checks)
        self._figures = figures
        self._traced = tracer
        self._identifying = Identifying(clock, tracer)
        self._turns = turns or Turns(THREADS)
        self.serve(registries)

    def serve(self, registries: Iterable[VirtualRegistry]) -> None:
        """Serve these from now on, and nothing that was kept ready of others. Requests under way
        end as they began."""
        surfaces = Surfaces(registries, self._documented_images)
        tokens = self._tokens
        self._granting = None if tokens is None else Granting(tokens, surfaces, self._notify)
        self._refusing = Refusing(surfaces, self._realm, tokens)
        self._surfaces = surfaces
        if self._passes is not None:
            self._passes.clear()
        # Last: who finds a place by the old ones may keep no answer after this.
        self._ready.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # An answer that is ready takes less time than making up an id for it.
        if GIVEN in environ or self._traced is not None:
            return self._identifying.run(self._find, environ, start_response)
        return self._find(environ, start_response)

    def _find(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked: str = environ.get("PATH_INFO", "")
        if self._checks and not asked.startswith("/-/"):
            try:
                for check in self._checks:
                    check(environ)
            except VirtregError as error:
                return self._refused(error, None, asked, environ, start_response)
        ready = self._ready.get(asked)
        if ready is None and asked.startswith("/v2/"):
            ready = self._ready.get(self._surfaces.key(asked, environ))
        if ready is not None:
            answered = self._repeat(ready, asked, environ, start_response)
            if answered is not None:
                return answered
        return self._identifying.run(partial(self._answer, asked), environ, start_response)

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
            or (ready.viewed and asks(environ.get("QUERY_STRING", "")))
        ):
            return None
        if not self._open:
            try:
                self._admission.admit(environ, ready.scope)
            except VirtregError as error:
                # Not the long way, which would ask twice: the time an answer takes must not tell
                # a stranger what others asked for.
                return self._refused_at(error, asked, environ, start_response)
            except Exception:  # noqa: BLE001 - the long way meets it again and tells it
                return None
        ready.used = True
        body = ready.body
        registry, request_id = ready.scope.registry, CURRENT.get().request_id
        if method == "HEAD":
            code, origin, path = ready.code, ready.origin, ready.path
            self._ledger.add(
                (now, method, asked, code, 0, origin, "", path, registry, request_id, None)
            )
            start_response(ready.status, ready.headers[:])
            return []
        if body is None:
            try:
                stored = within(self._turns.turn(), partial(self._stored, ready, environ))
            except Overloaded as error:
                return self._refused_at(error, asked, environ, start_response)
            if stored is None:
                self._ready.discard(self._surfaces.key(asked, environ))
                return None
            sent = stored
        else:
            sent = [body]
        self._ledger.add(
            (
                now,
                method,
                asked,
                ready.code,
                ready.size,
                ready.origin,
                ready.source,
                ready.path,
                registry,
                request_id,
                None,
            )
        )
        start_response(ready.status, ready.headers[:])
        return sent

    def _stored(self, ready: Ready, environ: WSGIEnvironment) -> Iterable[bytes] | None:
        """The blob of a ready answer; None when it is gone or damaged, which the long way mends.
        Raises Overloaded."""
        send_turn()
        try:
            body = self._open_known(ready.key, ready.size)
            if body.size not in (ready.size, None):
                body.close()
                return None
            gone = partial(self._ready.discard, self._surfaces.key(environ["PATH_INFO"], environ))
            sent = transfer(trusted(body, gone), FULL, file_wrapper=sendfile(environ))
            if isinstance(sent, Transfer):
                sent.begin()
            return sent
        except StorageError:
            return None

    def _refused_at(
        self,
        error: VirtregError,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        place = None
        with suppress(NotFound, InvalidRequest):  # It may have gone in this moment.
            place = self._surfaces.place(asked, environ)
        return self._refused(error, place, asked, environ, start_response)

    def _refused(
        self,
        error: VirtregError,
        place: Place | Ping | None,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        refuse = partial(self._refuse, error, place, asked)
        return self._identifying.run(refuse, environ, start_response)

    def _answer(
        self, asked: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if asked.startswith("/-/"):
            if self._figures is not None and self._figures.concerns(asked, environ):
                return self._figures.answer(environ["REQUEST_METHOD"], start_response)
            return self._probes.answer(asked, environ["REQUEST_METHOD"], start_response)
        place: Place | Ping | None = None
        # Before the place is found: what is found by the registries of then is kept for them.
        epoch = self._ready.epoch
        try:
            check_sizes(environ)
            if self._api is not None and asked.startswith(_API) and self._api.concerns(asked):
                status, headers, body = self._api.answer(environ)
                line = status_line(status)
                return self._telling.say(headers, body, asked, environ, start_response, line)
            if self._granting is not None and asked == self._granting.path:
                headers, body = self._granting.answer(environ)
                return self._telling.say(headers, body, asked, environ, start_response)
            try:
                place = self._surfaces.place(asked, environ)
            except (NotFound, InvalidRequest):
                place = None if self._open else self._surfaces.stand_in(asked, environ)
                if place is not None:
                    self._admission.admit_to_nothing(environ)
                    place = None
                raise
            if isinstance(place, Ping):
                return self._ping(place, asked, environ, start_response)
            pull = partial(self._pull, place, epoch, asked, environ, start_response)
            return within(self._turns.turn(), pull)
        except VirtregError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the last line before the server's own 500
            # Quoted: a path must not be able to begin a line of its own in a log.
            _log.error("%s %r failed", environ["REQUEST_METHOD"], asked, exc_info=error)
            failure = InternalError("an internal error; the server's log has the details")
        return self._refuse(failure, place, asked, environ, start_response)

    def _ping(
        self, ping: Ping, asked: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if not self._open:
            self._admission.ping(ping, environ)
        check_method(environ["REQUEST_METHOD"])
        headers = (*pings.HEADERS, *ping.headers)
        return self._telling.say(headers, pings.BODY, asked, environ, start_response)

    def _pull(
        self,
        place: Place,
        epoch: int,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        try:
            return self._file(place, epoch, asked, environ, start_response)
        except Missing:
            # It was taken to be there, and is forgotten by now.
            return self._file(place, epoch, asked, environ, start_response)
        except StoreUnavailable:
            served = place.served.bypassing()
            if served is None:
                raise
            place = evolve(place, served=served)
            return self._file(place, epoch, asked, environ, start_response)

    def _file(
        self,
        place: Place,
        epoch: int,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        served = place.served
        scope = scope_of(served, place.path)
        if not self._open:
            self._admission.admit(environ, scope)
        check_method(method)
        check_path(asked)
        refuse_hidden_slash(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
        route = served.format.route(place.path)
        viewed = served.views is not None and (route.merged or route.listing)
        try:
            with self._resolving(served):
                resolution, more = look(served, route, viewed, environ)
        except NotFound as error:
            problem = served.format.problem(error)
            now = self._clock()
            if error.expires_at > now:
                kept = ready_absence(scope, route, problem, error, now, place.headers)
                self._ready.put(place.key, kept, epoch)
            more = place.headers
            return self._telling.refuse(
                problem, error, asked, environ, start_response, more, served.name
            )
        # Of what turns out gone, or wrong, no answer is repeated.
        body = trusted(resolution.body, partial(self._ready.discard, place.key))
        try:
            if not self._open and not scope.public:
                more += _PRIVATE
            response = respond(
                served.format, resolution, conditions(environ), (*more, *place.headers)
            )
            if self._redirecting is not None:
                response = self._redirecting.instead(response, resolution, environ)
            now = self._clock()
            if (
                response.answer is FULL
                and resolution.expires_at > now
                and not (method == "HEAD" and isinstance(body, Defers) and body.deferred())
            ):
                with reading():
                    repeated = ready_answer(scope, resolution, response.headers, now, viewed=viewed)
                if repeated is not None:
                    self._ready.put(place.key, repeated, epoch)
            if response.answer is not None and response.length > SMALL and method == "GET":
                send_turn()
        except BaseException:
            body.close()
            raise
        if response.answer is None:
            body.close()
            sent: Iterable[bytes] = []
        else:
            sent = transfer(
                body,
                response.answer,
                head=method == "HEAD",
                file_wrapper=sendfile(environ) if response.length > SMALL else None,
            )
            if isinstance(sent, Transfer):
                with reading():
                    sent.begin()
        counted = method == "GET" and response.status != 304
        request, now = CURRENT.get(), self._clock()
        self._ledger.add(
            (
                now,
                method,
                asked,
                response.status,
                response.length if counted else 0,
                resolution.origin,
                resolution.source if counted and route.checksum is None else "",
                resolution.route.path,
                served.name,
                request.request_id,
                now - request.began,
            )
        )
        # Last: an error that comes before it can still be told.
        start_response(status_line(response.status), list(response.headers))
        return sent

    def _refuse(
        self,
        error: VirtregError,
        place: Place | Ping | None,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        problem, more = self._refusing.refusal(error, place, asked, environ)
        registry = place.served.name if isinstance(place, Place) else ""
        return self._telling.refuse(problem, error, asked, environ, start_response, more, registry)

    def _resolving(self, served: Served) -> AbstractContextManager[object]:
        if self._traced is None:
            return _UNTRACED
        facts = {"virtreg.registry": served.name, "virtreg.format": served.format.name}
        return self._traced.working("resolve", facts)
