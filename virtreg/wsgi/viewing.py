"""Documents as a query wants them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import evolve, frozen

from virtreg.errors import VirtregError
from virtreg.model import Algorithm, Headers, Representation, Route
from virtreg.protocols import Body, Resolution, Views
from virtreg.service.bodies import BytesBody
from virtreg.wsgi.query import parse_query

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

MOST = 64 * 1024**2
"""Bytes of a document that is viewed; none that is merged or listed comes near."""


class TooLargeToView(VirtregError):
    """The document can be had whole only."""

    code = "too_large_to_view"


@frozen(eq=False)
class Viewed:
    """The protocol ``Resolution``, of a part of a document."""

    route: Route
    source: str
    representation: Representation
    body: Body
    origin: str
    warning: str
    expires_at: float = 0.0
    """The part is the query's alone."""


def view(views: Views, whole: Resolution, environ: WSGIEnvironment) -> tuple[Resolution, Headers]:
    """What the request's query makes of the document: ``whole`` itself when it asks for no part,
    else the part, with the headers it has besides; ``whole`` is closed then.

    Raises InvalidRequest and TooLargeToView, and what reading raises; ``whole`` is closed then,
    too.
    """
    try:
        query = parse_query(environ.get("QUERY_STRING", ""))
        part = views.view(whole.route, url_of(environ), query, _read(whole.body))
    except BaseException:
        whole.body.close()
        raise
    if part is None:
        return whole, ()
    whole.body.close()
    sha256 = hashlib.sha256(part.body).hexdigest()
    facts = evolve(whole.representation, size=len(part.body), digests={Algorithm.SHA256: sha256})
    body = BytesBody(part.body)
    return Viewed(whole.route, whole.source, facts, body, whole.origin, whole.warning), part.headers


def url_of(environ: WSGIEnvironment) -> str:
    """The path of the request as the client sees it, percent-encoded."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return quote(path, safe="/:@!$&'()*+,;=", encoding="latin-1")


def _read(body: Body) -> bytes:
    pieces: list[bytes] = []
    held = 0
    for piece in body.read():
        held += len(piece)
        if held > MOST:
            raise TooLargeToView(f"the document is larger than {MOST} bytes: ask for it whole")
        pieces.append(piece)
    return b"".join(pieces)
