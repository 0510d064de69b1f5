"""Parameters of requests that may come as a query or as a form
(application/x-www-form-urlencoded, WHATWG URL, 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from virtreg.errors import InvalidRequest, VirtregError

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

MOST_BYTES = 64 * 1024
"""Of a form."""

_MOST_FIELDS = 200

Fields = dict[str, list[str]]
"""The values of each name, in order."""


class ContentTooLarge(VirtregError):
    """The body is larger than any that makes sense."""

    status = 413
    code = "content_too_large"


class UnsupportedMediaType(VirtregError):
    """The body is of a kind that is not read here."""

    status = 415
    code = "unsupported_media_type"


class LengthRequired(VirtregError):
    """Nothing says where the body ends."""

    status = 411
    code = "length_required"


def query_fields(environ: WSGIEnvironment) -> Fields:
    """Raises InvalidRequest."""
    return _parse(environ.get("QUERY_STRING", "").encode("latin-1"), "query")


def form_fields(environ: WSGIEnvironment) -> Fields:
    """Reads the body, at most ``MOST_BYTES`` of it. Raises InvalidRequest, ContentTooLarge,
    LengthRequired and UnsupportedMediaType."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("the body must be application/x-www-form-urlencoded")
    told = environ.get("CONTENT_LENGTH") or ""
    if told and not (told.isascii() and told.isdecimal()):
        raise InvalidRequest("Content-Length: is no number")
    if not told and not environ.get("wsgi.input_terminated"):
        raise LengthRequired("the body must come with its length")
    length = int(told) if len(told) <= 9 and told else MOST_BYTES + 1
    if told and length > MOST_BYTES:
        raise ContentTooLarge(f"the body may have {MOST_BYTES} bytes")
    body: bytes = environ["wsgi.input"].read(length)
    if len(body) > MOST_BYTES:
        raise ContentTooLarge(f"the body may have {MOST_BYTES} bytes")
    return _parse(body, "body")


def _parse(text: bytes, where: str) -> Fields:
    found: Fields = {}
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        # The cause may show what may be a password.
        raise InvalidRequest(f"{where}: is no list of fields in UTF-8") from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
