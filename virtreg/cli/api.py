"""The management API as commands ask it, whether it is in another process or in this one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import click
from attrs import frozen

ROOT: Final = "/api/v4"
_ON_A_PAGE: Final = 100
_SIGN_IN: Final = (
    "a token with the scope api is needed, in VIRTREG_TOKEN or the file of --token-file; where the"
    " server runs, `virtreg token create --kind personal --user NAME --scopes api` makes one"
)


@frozen
class Reply:
    """What an API says to one request."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Door(Protocol):
    """Where an API answers."""

    def send(self, method: str, target: str, body: bytes | None) -> Reply:
        """``target`` is percent-encoded, from ``/api/v4`` on, with its query; ``body`` is JSON.
        Raises ClickException where there is no answer."""
        ...

    @property
    def settles(self) -> bool:
        """Whether it can be waited for what the API does in the background."""
        ...

    def settle(self) -> None:
        """Wait for it; at once where that cannot be."""
        ...


class Refused(click.ClickException):
    """The API said no; ``status`` tells how."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@frozen(eq=False)
class Client:
    """Paths are below ``/api/v4``, percent-encoded. Methods give what the API gave, parsed, and
    raise Refused for what it did not want. For one thread."""

    door: Door

    @property
    def settles(self) -> bool:
        """Whether :meth:`settle` waits for anything."""
        return self.door.settles

    def settle(self) -> None:
        """Wait until what was begun in the background has ended."""
        self.door.settle()

    def get(self, path: str, /, **query: str | int) -> Any:
        return self._asked("GET", path, None, query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, /, **query: str | int) -> Any:
        return self._asked("POST", path, body or {}, query)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._asked("PATCH", path, body, {})

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._asked("PUT", path, body, {})

    def delete(self, path: str) -> None:
        self._asked("DELETE", path, None, {})

    def every(self, path: str, /, **query: str | int) -> Iterator[dict[str, Any]]:
        """The things of all pages."""
        page = "1"
        while page:
            reply = self._sent("GET", path, None, {**query, "per_page": _ON_A_PAGE, "page": page})
            yield from _parsed(reply)
            page = reply.headers.get("x-next-page", "")

    def _asked(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | int],
    ) -> Any:
        return _parsed(self._sent(method, path, body, query))

    def _sent(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | int],
    ) -> Reply:
        target = f"{ROOT}{path}" + (f"?{urlencode(query)}" if query else "")
        reply = self.door.send(method, target, None if body is None else json.dumps(body).encode())
        if reply.status >= 400:
            raise Refused(reply.status, _refusal(reply))
        return reply


def _parsed(reply: Reply) -> Any:
    if not reply.body:
        return None
    try:
        return json.loads(reply.body)
    except ValueError:
        raise click.ClickException("the answer is not JSON: no management API is there") from None


def _refusal(reply: Reply) -> str:
    """The API's own words, those about fields as sentences that name them."""
    try:
        told = json.loads(reply.body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return f"the answer is {reply.status} and not JSON: no management API is there"
    lines = list(_lines(told))
    if reply.status == 401:
        lines.append(_SIGN_IN)
    return "\n".join(lines) or f"the answer is {reply.status}"


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    message = told.get("error") or told.get("message")
    if isinstance(message, dict):
        for name, texts in message.items():
            for text in texts if isinstance(texts, list) else [texts]:
                yield f"{name} {text}"
    elif message:
        detail = told.get("detail")
        yield f"{message}: {detail}" if detail else str(message)
    details = told.get("details")
    if isinstance(details, dict):
        # An expression says nothing to people.
        told_of = ((name, text) for name, text in details.items() if "regex" not in str(text))
        yield from (f"{name}: {text}" for name, text in told_of)
