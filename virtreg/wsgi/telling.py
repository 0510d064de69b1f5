"""Answers that are about no file: short bodies, counted and sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from virtreg.correlation import CURRENT
from virtreg.errors import VirtregError
from virtreg.model import Headers, Problem
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.serving import status_line, with_length

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


@frozen(eq=False)
class Telling:
    """Thread-safe. ``asked`` is the path that the request asked for, for the ledger."""

    ledger: Ledger
    clock: Callable[[], float]

    def say(
        self,
        headers: Headers,
        body: bytes,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        status: str = "200 OK",
    ) -> Iterable[bytes]:
        """``headers`` are all there are."""
        return self._send(status, headers, body, "", asked, environ, start_response)

    def refuse(
        self,
        problem: Problem,
        error: VirtregError,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        more: Headers = (),
        registry: str = "",
    ) -> Iterable[bytes]:
        """The error as one kind of client reads it, with headers besides the problem's;
        ``registry`` is the one that was asked, if one was."""
        headers = with_length(problem.headers, problem.body) + more
        status = status_line(problem.status)
        return self._send(
            status, headers, problem.body, error.code, asked, environ, start_response, registry
        )

    def _send(
        self,
        status: str,
        headers: Headers,
        body: bytes,
        origin: str,
        asked: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        registry: str = "",
    ) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        sent = b"" if method == "HEAD" else body
        code = int(status[:3])
        request, now = CURRENT.get(), self.clock()
        took = now - request.began
        self.ledger.add(
            (
                now,
                method,
                asked,
                code,
                len(sent),
                origin,
                "",
                "",
                registry,
                request.request_id,
                took,
            )
        )
        start_response(status, list(headers))
        return [sent]
