"""Errors as Maven's clients read them: problem details (RFC 9457).

Maven prints the body when it is ``application/problem+json``. The member ``message`` is for
readers of GitLab's package API, which name the error there.
"""

from __future__ import annotations

import json
import math
from http import HTTPStatus

from virtreg.errors import EgressRefused, UpstreamError, UpstreamRefused, VirtregError
from virtreg.model import Problem

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_TEMPORARY = (502, 503, 504)
_DEFAULT_RETRY_SECONDS = 30


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
    if isinstance(error, UpstreamError):
        members["hint"] = _hint(error)
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    seconds = _retry_seconds(error)
    if seconds is not None:
        headers.append(("Retry-After", str(seconds)))
    return Problem(error.status, tuple(headers), json.dumps(members).encode() + b"\n")


def challenge(realm: str) -> str:
    """A Basic challenge (RFC 7617); what a quoted-string cannot carry becomes ``?``."""
    safe = "".join(char if " " <= char <= "~" else "?" for char in realm)
    quoted = safe.replace("\\", "\\\\").replace('"', '\\"')
    return f'Basic realm="{quoted}", charset="UTF-8"'


def _hint(error: UpstreamError) -> str:
    upstream = f"upstream {error.upstream!r}" if error.upstream else "the upstream"
    hint = (
        f'on_error = "continue" for {upstream} lets requests pass it while it is broken; a lower '
        "position may then answer in its place."
    )
    if isinstance(error, EgressRefused):
        return f"allow_private lists the address ranges upstream {error.upstream!r} may reach."
    if isinstance(error, UpstreamRefused):
        hint += ' on_refused = "absent" reads its 401 and 403 as not found.'
    return hint


def _retry_seconds(error: VirtregError) -> int | None:
    if error.retry_after is not None and math.isfinite(error.retry_after):
        return max(1, math.ceil(error.retry_after))
    return _DEFAULT_RETRY_SECONDS if error.status in _TEMPORARY else None
