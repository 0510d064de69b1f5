"""What is sent: the URL of a path, the headers of a request, the credentials of an upstream."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, urlencode

from virtreg.core.egress import WebUrl
from virtreg.errors import InvalidRequest
from virtreg.model import Fetch, Query, Secret, UpstreamSpec

# RFC 3986 pchar, without the plus that some servers read as a space and the semicolon after which
# others drop the rest of a segment before they look for dots.
_SAFE = "!$&'()*,=:@~"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_VALIDATOR = re.compile(r"[!-~\x80-\xff]([ -~\x80-\xff]{,1022}[!-~\x80-\xff])?")

Fields = tuple[tuple[str, str], ...]


def locate(base: WebUrl, path: str, query: Query = ()) -> WebUrl:
    """The URL of a decoded path, with a decoded query, below the base URL.

    Raises InvalidRequest for dot segments, which would leave the base, also for those with
    parameters (RFC 3986, 3.3), and for text that is not Unicode.
    """
    segments = path.split("/")
    if any(segment.partition(";")[0] in (".", "..") for segment in segments):
        raise InvalidRequest("the path must not have '.' or '..' segments")
    try:
        quoted = "/".join(quote(segment, safe=_SAFE) for segment in segments)
        asked = urlencode(query, quote_via=quote)
    except UnicodeEncodeError:
        raise InvalidRequest("the path or its query is not valid Unicode") from None
    return WebUrl(base.scheme, base.host, base.port, f"{base.path.rstrip('/')}/{quoted}", asked)


def request_fields(request: Fetch, user_agent: str) -> Fields:
    """The header fields of a request, without credentials.

    Bodies are wanted as they are stored: digests are of those bytes, and a range of a compressed
    body would be of no use. A validator that cannot be sent is none: an upstream's own odd header
    must not make its path impossible to ask for, and without ``if_range`` nothing is resumed.
    Raises InvalidRequest for another field that cannot be sent, and for a range without bytes.
    """
    if request.offset < 0 or (request.stop is not None and request.stop <= request.offset):
        raise InvalidRequest("the range has no bytes")
    fields = [
        ("User-Agent", user_agent),
        ("Accept", request.accept),
        ("Accept-Encoding", "identity"),
    ]
    if request.known is not None:
        fields.append(("If-None-Match", _sendable(request.known.etag)))
        fields.append(("If-Modified-Since", _sendable(request.known.last_modified)))
    ranged = request.offset > 0 or request.stop is not None
    if ranged and (not request.if_range or _sendable(request.if_range)):
        last = "" if request.stop is None else request.stop - 1
        fields.append(("Range", f"bytes={request.offset}-{last}"))
        fields.append(("If-Range", request.if_range or ""))
    fields.extend(request.headers)
    return checked(tuple((name, value) for name, value in fields if value))


def _sendable(validator: str | None) -> str:
    return validator if validator is not None and _VALIDATOR.fullmatch(validator) else ""


def credential_fields(spec: UpstreamSpec) -> Fields:
    """The credential fields that are sent as they are; for the configured origin only.

    Raises InvalidRequest, without the value, for a secret that cannot be sent.
    """
    fields = [(name, secret.reveal()) for name, secret in spec.headers]
    if spec.bearer is not None:
        fields.append(("Authorization", f"Bearer {spec.bearer.reveal()}"))
    return checked(tuple(fields))


def basic_field(username: str, password: Secret) -> tuple[str, str]:
    """HTTP Basic (RFC 7617), in UTF-8."""
    pair = f"{username}:{password.reveal()}".encode()
    return ("Authorization", f"Basic {base64.b64encode(pair).decode()}")


def checked(fields: Fields) -> Fields:
    """The same fields; raises InvalidRequest for a name or value outside RFC 9110, 5.1 and 5.5."""
    for name, value in fields:
        if not _NAME.fullmatch(name):
            raise InvalidRequest("a header name is not a token")
        if not _VALUE.fullmatch(value):
            raise InvalidRequest(f"header {name} has a character that cannot be sent")
    return fields
