"""Answering a request for a file: admit, route, resolve, respond."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from virtreg.core.conditional import FULL
from virtreg.correlation import CURRENT
from virtreg.errors import Missing, NotFound, StoreUnavailable
from virtreg.model import Headers
from virtreg.protocols import Defers
from virtreg.service.opening import trusted
from virtreg.service.turns import send_turn
from virtreg.spans import Tracer
from virtreg.wsgi.admission import Admission
from virtreg.wsgi.keeping import ready_absence, ready_answer
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.looking import look
from virtreg.wsgi.place import Place, Served, check_path
from virtreg.wsgi.reading import reading
from virtreg.wsgi.ready import SMALL, ReadyAnswers
from virtreg.wsgi.redirecting import Redirecting
from virtreg.wsgi.refusing import check_method
from virtreg.wsgi.scoping import scope_of
from virtreg.wsgi.serving import conditions, respond, status_line
from virtreg.wsgi.surfaces import refuse_hidden_slash
from virtreg.wsgi.telling import Telling
from virtreg.wsgi.transfer import Transfer, sendfile, transfer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_UNTRACED: AbstractContextManager[object] = nullcontext()

_PRIVATE: Headers = (("Cache-Control", "private, no-cache"),)
"""Of what not everybody may have: a cache between us and a caller must not hand it to the next
(RFC 9111, 5.2.2.7), and only ``Authorization`` would tell it so by itself."""


@frozen(eq=False)
class Pulling:
    """Thread-safe. What may be answered once more becomes ``ready``."""

    ready: ReadyAnswers
    admission: Admission
    telling: Telling
    ledger: Ledger
    clock: Callable[[], float]
    redirecting: Redirecting | None
    tracer: Tracer | None

    def answer(
        self,
        place: Place,
        epoch: int,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """``epoch``: of the ready answers, from before the place was found. Raises VirtregError
        before anything was answered."""
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
        if not self.admission.open:
            self.admission.admit(environ, scope)
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
            now = self.clock()
            if error.expires_at > now:
                kept = ready_absence(scope, route, problem, error, now, place.headers)
                self.ready.put(place.key, kept, epoch)
            more = place.headers
            return self.telling.refuse(
                problem, error, asked, environ, start_response, more, served.name
            )
        # Of what turns out gone, or wrong, no answer is repeated.
        body = trusted(resolution.body, partial(self.ready.discard, place.key))
        try:
            if not self.admission.open and not scope.public:
                more += _PRIVATE
            response = respond(
                served.format, resolution, conditions(environ), (*more, *place.headers)
            )
            if self.redirecting is not None:
                response = self.redirecting.instead(response, resolution, environ)
            now = self.clock()
            if (
                response.answer is FULL
                and resolution.expires_at > now
                and not (method == "HEAD" and isinstance(body, Defers) and body.deferred())
            ):
                with reading():
                    repeated = ready_answer(scope, resolution, response.headers, now, viewed=viewed)
                if repeated is not None:
                    self.ready.put(place.key, repeated, epoch)
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
        request, now = CURRENT.get(), self.clock()
        self.ledger.add(
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

    def _resolving(self, served: Served) -> AbstractContextManager[object]:
        if self.tracer is None:
            return _UNTRACED
        facts = {"virtreg.registry": served.name, "virtreg.format": served.format.name}
        return self.tracer.working("resolve", facts)
