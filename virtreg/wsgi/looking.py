"""From a route to the resolution that a request is answered with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtreg.model import Headers, Route
from virtreg.protocols import Resolution
from virtreg.wsgi.place import Served
from virtreg.wsgi.query import asks
from virtreg.wsgi.viewing import view

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


def look(
    served: Served, route: Route, viewed: bool, environ: WSGIEnvironment
) -> tuple[Resolution, Headers]:
    """The resolution and headers of it besides; the caller closes its body.

    ``viewed``: the query may ask for a part of the document, which takes the document, for HEAD
    as well. Other queries mean nothing. Raises what the registry and the view raise.
    """
    if viewed and served.views is not None and asks(environ.get("QUERY_STRING", "")):
        return view(served.views, served.resolve(route), environ)
    if environ["REQUEST_METHOD"] == "HEAD":
        return _described(served, route), ()
    return served.resolve(route), ()


def _described(served: Served, route: Route) -> Resolution:
    resolution = served.describe(route)
    if served.described and resolution.representation.size is None:
        # Without a size the answer would wait for the end of the body, and the body may be none.
        resolution.body.close()
        return served.resolve(route)
    return resolution
