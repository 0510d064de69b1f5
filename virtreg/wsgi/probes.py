"""``/-/health`` and ``/-/ready``, for whatever watches the process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

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

PATIENCE: Final = 1.0
"""Seconds that a part has to answer; whoever watches does not wait for long either."""

_OK: Final = "ok"

Check = Callable[[], None]
"""Raises VirtregError when the part is not usable."""


class Probes:
    """Health: the process answers. Ready: it can serve, which it can as long as each part does that
    is ``essential``; without another it is degraded. No upstream is asked: what is cached is served
    without them. Thread-safe."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        essential: Collection[str] | None = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """``essential``: None is all of them."""
        self._parts = {name: _Part(check, patience) for name, check in checks.items()}
        self._essential = frozenset(checks if essential is None else essential)

    def answer(self, asked: str, method: str, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = self._find(asked)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [b"" if method == "HEAD" else body]

    def _find(self, asked: str) -> tuple[str, Headers, bytes]:
        if asked not in ("/-/health", "/-/ready"):
            problem = plain_problem(NotFound("there is /-/health and /-/ready"))
            return "404 Not Found", problem.headers, problem.body
        # All at once: they may take their time.
        looks = {name: part.look() for name, part in self._parts.items()}
        parts = {name: self._parts[name].state(look) for name, look in looks.items()}
        broken = {name for name, state in parts.items() if state != _OK}
        status = "degraded" if broken else _OK
        if asked == "/-/ready" and broken & self._essential:
            body = _json({"status": "unavailable", **parts})
            return "503 Service Unavailable", _HEADERS, body
        return "200 OK", _HEADERS, _json({"status": status, **parts})


class _Part:
    """Looks at one part on a thread of its own, one at a time: one that hangs holds no request."""

    def __init__(self, check: Check, patience: float) -> None:
        self._check = check
        self._patience = patience
        self._lock = threading.Lock()
        self._looking: Future[str] | None = None

    def look(self) -> Future[str]:
        with self._lock:
            if self._looking is None or self._looking.done():
                looking = self._looking = Future()
                run = threading.Thread(
                    target=self._run, args=(looking,), name="virtreg-probe", daemon=True
                )
                run.start()
            return self._looking

    def state(self, looking: Future[str]) -> str:
        try:
            return looking.result(self._patience)
        except TimeoutError:
            return "does not answer"

    def _run(self, looking: Future[str]) -> None:
        try:
            looking.set_result(_state(self._check))
        except BaseException as error:  # noqa: BLE001 - raised where the probe is answered
            looking.set_exception(error)


def _state(check: Check) -> str:
    try:
        check()
    except VirtregError as error:
        return error.message
    return _OK


def _json(document: Mapping[str, str]) -> bytes:
    return json.dumps(document).encode()
