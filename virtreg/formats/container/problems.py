"""Errors as container clients read them (OCI distribution-spec 1.1.1, "Error Codes").

Clients show code and message and seldom more, so the message has all that a person needs. A 4xx
has a code of the specification's table, ``UNSUPPORTED`` where none fits better. For a 5xx it has
none, and those of the Docker registry stand in: ``UNAVAILABLE`` for what may pass, ``UNKNOWN`` for
the rest.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from virtreg.errors import EgressRefused, NotFound, UpstreamError, VirtregError
from virtreg.formats.container.describing import SNIFFING, VERSION
from virtreg.formats.container.routes import split
from virtreg.formats.hints import hint
from virtreg.formats.retrying import retry_seconds
from virtreg.model import Problem

_CODES = {
    "name_invalid": "NAME_INVALID",
    "digest_invalid": "DIGEST_INVALID",
    "unauthenticated": "UNAUTHORIZED",
    "forbidden": "DENIED",
    "barred": "DENIED",
    "upstream_busy": "TOOMANYREQUESTS",
    "upstream_throttled": "TOOMANYREQUESTS",
    "too_many_requests": "TOOMANYREQUESTS",
}
_ABSENT = {"manifests": "MANIFEST_UNKNOWN", "blobs": "BLOB_UNKNOWN"}
_TEMPORARY = (502, 503, 504)
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def problem(error: VirtregError) -> Problem:
    """The response to an error; its ``Retry-After`` is in seconds."""
    told: dict[str, object] = {"code": _code(error), "message": _message(error)}
    if error.answers:
        told["detail"] = {
            "upstreams": [
                {"name": answer.upstream, "outcome": answer.outcome, "detail": answer.detail}
                for answer in error.answers
            ]
        }
    headers = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        SNIFFING,
        VERSION,
    ]
    seconds = retry_seconds(error)
    if seconds is not None:
        headers.append(("Retry-After", str(seconds)))
    return Problem(error.status, tuple(headers), json.dumps({"errors": [told]}).encode() + b"\n")


def _code(error: VirtregError) -> str:
    if isinstance(error, NotFound):
        return _ABSENT.get(split(error.path)[1] or "", "NAME_UNKNOWN")
    return _CODES.get(error.code) or _general(error.status)


def _general(status: int) -> str:
    if status < 500:
        return "UNSUPPORTED"
    return "UNAVAILABLE" if status in _TEMPORARY else "UNKNOWN"


def _message(error: VirtregError) -> str:
    message = error.message or _PHRASES.get(error.status, "Error")
    if not isinstance(error, UpstreamError):
        return message
    hints = hint(error)
    if isinstance(error, EgressRefused):
        hints += " token_realms lists the hosts whose token service is given its credentials."
    return f"{message}. {hints}" if hints else message
