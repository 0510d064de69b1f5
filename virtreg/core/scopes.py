"""What clients of a token service ask for: resource scopes (CNCF Distribution, "Token Scope
Documentation")."""

from __future__ import annotations

import re

from attrs import frozen

from virtreg.errors import InvalidRequest

_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""A ``scope-token`` of RFC 6749, 3.3."""
_TYPE = re.compile(r"([a-z0-9]+)(?:\([a-z0-9]+\))?")
MOST_SCOPES = 32
"""More than any client asks for at once; each one is a decision."""


@frozen
class RequestedScope:
    """Some actions on one resource. Nothing says that there is such a thing, or that it is
    allowed."""

    type: str
    """Such as ``repository`` or ``registry``, without a class: ``repository(plugin)`` is
    ``repository``."""
    name: str
    """As the client spells it; may hold a colon, as names that begin with a host and port do."""
    actions: tuple[str, ...]
    """In order, each once; may be empty."""

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


def parse_scopes(text: str) -> tuple[RequestedScope, ...]:
    """The scopes of a list joined by spaces, in order, each once.

    What is no scope is left out: clients send such things, and asking for them is no error. Raises
    InvalidRequest when there are more than ``MOST_SCOPES``.
    """
    found: dict[RequestedScope, None] = {}
    for word in text.split(" "):
        scope = _parse(word)
        if scope is not None:
            found[scope] = None
            if len(found) > MOST_SCOPES:
                raise InvalidRequest(f"scope: asks for more than {MOST_SCOPES} resources at once")
    return tuple(found)


def _parse(word: str) -> RequestedScope | None:
    if _TOKEN.fullmatch(word) is None:
        return None
    kind, _, rest = word.partition(":")
    name, _, actions = rest.rpartition(":")
    typed = _TYPE.fullmatch(kind)
    if typed is None or not name:
        return None
    return RequestedScope(typed[1], name, tuple(dict.fromkeys(filter(None, actions.split(",")))))
