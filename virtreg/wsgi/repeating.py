"""Answering once more what is ready in memory, or in the store under a known key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen

from virtreg.core.conditional import FULL
from virtreg.correlation import CURRENT
from virtreg.errors import StorageError, VirtregError
from virtreg.protocols import Body
from virtreg.service.opening import trusted
from virtreg.service.turns import send_turn
from virtreg.wsgi.admission import Admission
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.overload import Taking, within
from virtreg.wsgi.place import Key
from virtreg.wsgi.query import asks
from virtreg.wsgi.ready import Ready, ReadyAnswers
from virtreg.wsgi.transfer import Transfer, sendfile, transfer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


@frozen(eq=False)
class Repeating:
    """Thread-safe. ``key`` says what a path is ready under, and ``open_known`` opens a blob of the
    store by its key and size."""

    answers: ReadyAnswers
    key: Callable[[str, WSGIEnvironment], Key]
    open_known: Callable[[str, int], Body]
    admission: Admission
    turns: Taking
    ledger: Ledger
    clock: Callable[[], float]

    def answer(
        self,
        ready: Ready,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes] | None:
        """The ready answer, or None when this request needs the long way. Raises VirtregError where
        there is to be no other answer either."""
        method = environ["REQUEST_METHOD"]
        now = self.clock()
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
        if not self.admission.open:
            try:
                self.admission.admit(environ, ready.scope)
            except VirtregError:
                raise
            except Exception:  # noqa: BLE001 - the long way meets it again and tells it
                return None
        ready.used = True
        body = ready.body
        registry, request_id = ready.scope.registry, CURRENT.get().request_id
        if method == "HEAD":
            code, origin, path = ready.code, ready.origin, ready.path
            self.ledger.add(
                (now, method, asked, code, 0, origin, "", path, registry, request_id, None)
            )
            start_response(ready.status, ready.headers[:])
            return []
        if body is None:
            stored = within(self.turns.turn(environ), partial(self._stored, ready, environ))
            if stored is None:
                self.answers.discard(self.key(asked, environ))
                return None
            sent = stored
        else:
            sent = [body]
        self.ledger.add(
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
            body = self.open_known(ready.key, ready.size)
            if body.size not in (ready.size, None):
                body.close()
                return None
            gone = partial(self.answers.discard, self.key(environ["PATH_INFO"], environ))
            sent = transfer(trusted(body, gone), FULL, file_wrapper=sendfile(environ))
            if isinstance(sent, Transfer):
                sent.begin()
            return sent
        except StorageError:
            return None
