"""``/-/health`` and ``/-/ready``, for whatever watches the process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from virtreg.errors import NotFound, VirtregError
from virtreg.model import Headers
from virtreg.wsgi.problems import plain_problem

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

_HEADERS: Headers = (
    ("Content-Type", "application/json"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)

Check = Callable[[], None]
"""Raises when the part is not usable."""


class Probes:
    """Health: the process answers. Ready: every named part does, too. No upstream is asked:
    what is cached is served without them."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def answer(self, asked: str, method: str, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = self._find(asked)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [b"" if method == "HEAD" else body]

    def _find(self, asked: str) -> tuple[str, Headers, bytes]:
        if asked == "/-/health":
            return "200 OK", _HEADERS, _json({"status": "ok"})
        if asked == "/-/ready":
            parts = {name: _state(check) for name, check in self._checks.items()}
            if all(state == "ok" for state in parts.values()):
                return "200 OK", _HEADERS, _json({"status": "ok", **parts})
            body = _json({"status": "unavailable", **parts})
            return "503 Service Unavailable", _HEADERS, body
        problem = plain_problem(NotFound("there is /-/health and /-/ready"))
        return "404 Not Found", problem.headers, problem.body


def _state(check: Check) -> str:
    try:
        check()
    except VirtregError as error:
        return error.message
    return "ok"


def _json(document: Mapping[str, str]) -> bytes:
    return json.dumps(document).encode()
