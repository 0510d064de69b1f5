"""The WSGI application.

A repeated request is answered from the ready table before anything is parsed; everything else
takes the long way through route, resolve and respond. One instance serves any number of threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from virtreg.errors import InvalidRequest, NotFound, VirtregError
from virtreg.events import AuditEvent
from virtreg.model import Principal
from virtreg.protocols import Authenticator, CacheStore, VirtualRegistry
from virtreg.service.opening import opener
from virtreg.spans import Tracer
from virtreg.wsgi import pings
from virtreg.wsgi.admission import Admission
from virtreg.wsgi.bearer import TokenService
from virtreg.wsgi.distribution import DOCUMENTED
from virtreg.wsgi.figures import FiguresPage
from virtreg.wsgi.granting import Granting
from virtreg.wsgi.identifying import GIVEN, Identifying
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.overload import Taking, within
from virtreg.wsgi.passes import Passes
from virtreg.wsgi.place import Key, Ping, Place
from virtreg.wsgi.probes import Probes
from virtreg.wsgi.pulling import Pulling
from virtreg.wsgi.ready import ReadyAnswers
from virtreg.wsgi.redirecting import Redirecting
from virtreg.wsgi.refusing import InternalError, Refusing, check_method
from virtreg.wsgi.repeating import Repeating
from virtreg.wsgi.serving import status_line
from virtreg.wsgi.sizes import check_sizes
from virtreg.wsgi.surfaces import Surfaces
from virtreg.wsgi.telling import Telling

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from virtreg.wsgi.api.application import Api

_log = logging.getLogger(__name__)

_API = "/api/v4/"


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
        turns: Taking | None = None,
    ) -> None:
        """``documented_images``: below ``/v2/``, before the id of a registry of images. ``tokens``:
        where clients of images are sent for their tokens; without it they must log in by Basic.
        ``checks`` are asked about every request before anything else, except about probes, and
        raise what is wrong with it. ``api`` is what registries are managed by. ``passes`` and
        ``counted`` as for :class:`virtreg.wsgi.admission.Admission`. ``figures`` is the page of
        metrics, where there is one. ``turns``: None is those of a server with the usual number of
        threads, whose callers speak to it themselves."""
        self._documented_images = documented_images
        self._realm = realm
        self._tokens = tokens
        self._notify = notify
        self._api = api
        self._ready = ready
        self._probes = probes
        self._telling = Telling(ledger, clock)
        self._admission = Admission(authenticator, tokens, passes, counted)
        self._passes = passes
        self._open = self._admission.open
        self._checks = tuple(checks)
        self._figures = figures
        self._traced = tracer
        self._identifying = Identifying(clock, tracer)
        self._turns = turns or Taking()
        self._repeating = Repeating(
            ready, self._key, opener(store), self._admission, self._turns, ledger, clock
        )
        self._pulling = Pulling(
            ready, self._admission, self._telling, ledger, clock, redirecting, tracer
        )
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
            try:
                answered = self._repeating.answer(ready, asked, environ, start_response)
            except VirtregError as error:
                # Not the long way, which would ask twice: the time an answer takes must not tell
                # a stranger what others asked for.
                return self._refused_at(error, asked, environ, start_response)
            if answered is not None:
                return answered
        return self._identifying.run(partial(self._answer, asked), environ, start_response)

    def _key(self, asked: str, environ: WSGIEnvironment) -> Key:
        return self._surfaces.key(asked, environ)

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
            pull = partial(self._pulling.answer, place, epoch, asked, environ, start_response)
            return within(self._turns.turn(environ), pull)
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
