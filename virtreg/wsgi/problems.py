"""Errors at URLs that belong to no registry, where no format can speak."""

from __future__ import annotations

import json
from http import HTTPStatus

from virtreg.errors import VirtregError
from virtreg.formats.retrying import retry_seconds
from virtreg.model import Headers, Problem


def plain_problem(error: VirtregError) -> Problem:
    """RFC 9457 JSON, with the ``message`` member that GitLab's clients read."""
    phrase = HTTPStatus(error.status).phrase
    body = {
        "title": phrase,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "message": f"{error.status} {phrase}",
    }
    seconds = retry_seconds(error)
    waiting: Headers = () if seconds is None else (("Retry-After", str(seconds)),)
    return Problem(
        error.status,
        (
            ("Content-Type", "application/problem+json"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            *waiting,
        ),
        json.dumps(body).encode(),
    )
