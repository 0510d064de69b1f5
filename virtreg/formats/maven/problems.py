"""Errors as Maven's clients read them: problem details (RFC 9457).

Maven prints the body when it is ``application/problem+json``. The member ``message`` is for
readers of GitLab's package API, which name the error there.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from virtreg.errors import UpstreamError, VirtregError
from virtreg.formats.hints import hint
from virtreg.formats.retrying import retry_seconds
from virtreg.model import Problem

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def problem(error: VirtregError) -> Problem:
    """The response to an error; its ``Retry-After`` is in seconds (RFC 9110, 10.2.3)."""
    title = _PHRASES.get(error.status, "Error")
    members: dict[str, object] = {
        "type": "about:blank",
        "title": title,
        "status": error.status,
        "detail": error.message or title,
        "code": error.code,
        "message": f"{error.status} {title}",
    }
    if error.answers:
        members["upstreams"] = [
            {"name": answer.upstream, "outcome": answer.outcome, "detail": answer.detail}
            for answer in error.answers
        ]
    if isinstance(error, UpstreamError) and (hints := hint(error)):
        members["hint"] = hints
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    seconds = retry_seconds(error)
    if seconds is not None:
        headers.append(("Retry-After", str(seconds)))
    return Problem(error.status, tuple(headers), json.dumps(members).encode() + b"\n")
