"""Credentials of upstreams."""

from __future__ import annotations

from typing import Any

from attrs import frozen


class Secret:
    """A credential that does not print. ``reveal()`` is the only way to the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> Any:
        raise TypeError("secrets are not pickled")


@frozen
class Login:
    """A user name and a password that may end."""

    username: str
    password: Secret
    """With the user name ``<token>``: an identity token, which is exchanged at the token service
    (OAuth 2.0, RFC 6749, 6) and never sent as a password."""
    expires_at: float | None = None
    """None: good until it is refused."""
