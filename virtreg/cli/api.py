"""The management API as commands ask it, whether it is in another process or in this one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import click
from attrs import frozen

from virtreg.cli import refusals

ROOT: Final = "/api/v4"
_ON_A_PAGE: Final = 100


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
            raise _refused(reply)
        return reply


def _parsed(reply: Reply) -> Any:
    if not reply.body:
        return None
    try:
        return json.loads(reply.body)
    except ValueError:
        raise click.ClickException("the answer is not JSON: no management API is there") from None


def _refused(reply: Reply) -> click.ClickException:
    try:
        told = json.loads(reply.body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        # No refusal: it says nothing about what was asked for.
        return click.ClickException(
            f"the answer is {reply.status} and not JSON: no management API is there"
        )
    said = "\n".join(refusals.lines(reply.status, told))
    return Refused(reply.status, said or f"the answer is {reply.status}")
