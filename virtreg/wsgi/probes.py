"""``/-/health`` and ``/-/ready``, for whatever watches the process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from virtreg.errors import NotFound, VirtregError
from virtreg.wsgi.problems import plain_problem

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

Check = Callable[[], None]
"""Raises when the part is not usable."""


class Probes:
    """Health: the process answers. Ready: every named part does, too. No upstream is asked:
    what is cached is served without them."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def answer(self, asked: str, start_response: StartResponse) -> Iterable[bytes]:
        if asked == "/-/health":
            return _json(start_response, "200 OK", {"status": "ok"})
        if asked == "/-/ready":
            parts = {name: _state(check) for name, check in self._checks.items()}
            ready = all(state == "ok" for state in parts.values())
            status = "200 OK" if ready else "503 Service Unavailable"
            return _json(
                start_response, status, {"status": "ok" if ready else "unavailable", **parts}
            )
        problem = plain_problem(NotFound("there is /-/health and /-/ready"))
        start_response("404 Not Found", list(problem.headers))
        return [problem.body]


def _state(check: Check) -> str:
    try:
        check()
    except VirtregError as error:
        return error.message
    return "ok"


def _json(
    start_response: StartResponse, status: str, document: Mapping[str, str]
) -> Iterable[bytes]:
    body = json.dumps(document).encode()
    start_response(
        status,
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ],
    )
    return [body]
