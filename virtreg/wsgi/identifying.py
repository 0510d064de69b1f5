"""Giving a request its id, and its span where requests are traced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from attrs import frozen

from virtreg.correlation import CURRENT, HEADER, NONE, Correlation, chosen
from virtreg.spans import Fact, Span, Tracer
from virtreg.wsgi.serving import CACHE_HEADER

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

GIVEN: Final = "HTTP_X_REQUEST_ID"
"""Where the caller's own id would be."""

_TRACE = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Answer = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


@frozen(eq=False)
class Identifying:
    """Runs what answers a request under the request's id, and answers with it. Thread-safe.

    The id stays until the answer has begun; bodies are sent after that, and say nothing that an id
    would help with.
    """

    clock: Callable[[], float]
    tracer: Tracer | None = None

    def run(
        self, answer: Answer, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if CURRENT.get() is not NONE:
            return answer(environ, start_response)
        request_id = chosen(environ.get(GIVEN))
        token = CURRENT.set(Correlation(request_id, self.clock()))
        try:
            if self.tracer is None:
                return answer(environ, _naming(request_id, start_response))
            return self._traced(self.tracer, request_id, answer, environ, start_response)
        finally:
            CURRENT.reset(token)

    def _traced(
        self,
        tracer: Tracer,
        request_id: str,
        answer: Answer,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        caller = {name: environ[key] for name, key in _TRACE.items() if key in environ}
        method: str = environ["REQUEST_METHOD"]
        known = method if method in _METHODS else "_OTHER"
        facts: dict[str, Fact] = {
            "http.request.method": known,
            "url.path": environ.get("PATH_INFO", ""),
            "virtreg.request_id": request_id,
        }
        with tracer.serving(known if known == method else "HTTP", caller, facts) as span:
            return answer(environ, _naming(request_id, start_response, span))


def _naming(
    request_id: str, start_response: StartResponse, span: Span | None = None
) -> StartResponse:
    """``start_response``, with the id among the headers and the facts in the span."""

    def begin(
        status: str, headers: list[tuple[str, str]], *rest: object
    ) -> Callable[[bytes], object]:
        headers.append((HEADER, request_id))
        if span is not None:
            span.tell("http.response.status_code", int(status[:3]))
            for name, value in headers:
                if name == CACHE_HEADER:
                    span.tell("virtreg.cache", value)
            if status[0] == "5":
                span.fail(status[:3])
        return start_response(status, headers, *rest)  # type: ignore[arg-type]

    return begin
