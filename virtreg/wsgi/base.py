"""Where clients reach the application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


def base_url(external_url: str, environ: WSGIEnvironment) -> str:
    """``external_url``, or where it is empty what the request says it came to; without a slash at
    the end."""
    if external_url:
        return external_url.rstrip("/")
    below = quote(environ.get("SCRIPT_NAME", ""), safe="/", encoding="latin-1")
    return f"{environ['wsgi.url_scheme']}://{host_of(environ)}{below}"


def host_of(environ: WSGIEnvironment) -> str:
    """As the client names it, where that can stand in a URL and between quotes."""
    host: str = environ.get("HTTP_HOST", "")
    if _HOST.fullmatch(host):
        return host
    return f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
