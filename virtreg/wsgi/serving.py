"""From a request's conditions and a resolution to a response: status, headers, which bytes."""

from __future__ import annotations

import secrets
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import frozen

from virtreg.core.conditional import (
    Conditions,
    Full,
    NotModified,
    Partial,
    PreconditionFailed,
    Unsatisfiable,
    decide,
)
from virtreg.core.etags import etag_of
from virtreg.core.httpdate import parse_http_date
from virtreg.core.multipart import MultipartPlan, multipart
from virtreg.core.ranges import content_range, unsatisfied_range
from virtreg.errors import VirtregError
from virtreg.model import Algorithm, Headers
from virtreg.protocols import Body, Format, Resolution
from virtreg.wsgi.warnings import warning_value

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

CACHE_HEADER = "X-Virtreg-Cache"
"""How the answer came about: hit, miss, joined, revalidated, stale, merged."""


class PreconditionNotMet(VirtregError):
    """``If-Match`` or ``If-Unmodified-Since`` does not hold."""

    status = 412
    code = "precondition_failed"


class RangeNotSatisfiable(VirtregError):
    """No byte of the body is in the range asked for."""

    status = 416
    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"Range: the file has {size} bytes")
        self.size = size


@frozen
class Response:
    """What to send. ``answer`` is which bytes of the body, or None for no body at all."""

    status: int
    headers: Headers
    answer: Full | Partial | MultipartPlan | None
    length: int
    """Bytes that will be sent."""


def respond(
    format: Format,  # noqa: A002 - the protocol's word
    resolution: Resolution,
    asked: Conditions,
    more: Headers = (),
) -> Response:
    """``more`` are headers of every answer that is no error.

    Raises PreconditionNotMet and RangeNotSatisfiable, and what the download failed with when its
    length is known only at its end."""
    representation = resolution.representation
    sha256 = representation.digests.get(Algorithm.SHA256)
    etag = None if sha256 is None else etag_of(sha256)
    size = representation.size
    if size is None:
        size = _awaited(resolution.body)
    last_modified = _date(representation.last_modified)
    decision = decide(asked, etag=etag, last_modified=last_modified, size=size)
    validators: Headers = (
        *(() if etag is None else (("ETag", etag),)),
        *(() if last_modified is None else (("Last-Modified", last_modified),)),
        ("Accept-Ranges", "bytes"),
        (CACHE_HEADER, resolution.origin),
        *(() if not resolution.warning else (("Warning", warning_value(resolution.warning)),)),
        *more,
    )
    if isinstance(decision, NotModified):
        return Response(304, validators, None, 0)
    if isinstance(decision, PreconditionFailed):
        raise PreconditionNotMet("the file is not the one the request is about")
    if isinstance(decision, Unsatisfiable):
        raise RangeNotSatisfiable(size)
    headers = (*format.headers(resolution.route, representation), *validators)
    if isinstance(decision, Full):
        return Response(200, (*headers, ("Content-Length", str(size))), decision, size)
    return _partial(headers, decision, size)


def _awaited(body: Body) -> int:
    """The size of a body that is still arriving without one.

    An answer without ``Content-Length`` ends when the connection or the last chunk says so, and
    servers differ in what they say when it breaks off: some make it look whole.
    """
    for _ in body.read(sys.maxsize):
        pass
    assert body.size is not None
    return body.size


def _date(text: str | None) -> str | None:
    """An upstream's ``Last-Modified`` when it is a date; anything else must not become a header."""
    return None if text is None or parse_http_date(text) is None else text.strip(" \t")


def _partial(headers: Headers, decision: Partial, size: int) -> Response:
    if len(decision.ranges) == 1:
        start, stop = decision.ranges[0]
        more = (
            ("Content-Range", content_range(start, stop, size)),
            ("Content-Length", str(stop - start)),
        )
        return Response(206, (*headers, *more), decision, stop - start)
    media_type = next((value for name, value in headers if name == "Content-Type"), None)
    plan = multipart(secrets.token_hex(16), media_type, decision.ranges, size)
    others = tuple(pair for pair in headers if pair[0] != "Content-Type")
    more = (("Content-Type", plan.content_type), ("Content-Length", str(plan.length)))
    return Response(206, (*others, *more), plan, plan.length)


def conditions(environ: WSGIEnvironment) -> Conditions:
    """The conditional headers of a request."""
    get = environ.get
    return Conditions(
        environ["REQUEST_METHOD"],
        get("HTTP_IF_MATCH"),
        get("HTTP_IF_NONE_MATCH"),
        get("HTTP_IF_MODIFIED_SINCE"),
        get("HTTP_IF_UNMODIFIED_SINCE"),
        get("HTTP_IF_RANGE"),
        get("HTTP_RANGE"),
    )


def status_line(status: int) -> str:
    """``404`` as ``404 Not Found``."""
    return f"{status} {HTTPStatus(status).phrase}"


def with_length(headers: Headers, body: bytes) -> Headers:
    """The headers of a body that is sent whole."""
    return (*headers, ("Content-Length", str(len(body))))


def range_headers(error: VirtregError) -> Headers:
    """What a 416 says besides its problem (RFC 9110, 15.5.17)."""
    if isinstance(error, RangeNotSatisfiable):
        return (("Content-Range", unsatisfied_range(error.size)),)
    return ()
