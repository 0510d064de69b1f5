"""Errors as the clients of GitLab's API read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from virtreg.errors import (
    Conflict,
    Forbidden,
    Invalid,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    VirtregError,
)


class BadParameters(InvalidRequest):
    """Parameters are missing or out of their grammar. ``problems`` says by name what is wrong,
    ``details`` how it would be right."""

    def __init__(self, problems: Mapping[str, str], details: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name} {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)
        self.details = dict(details)


def told(error: VirtregError) -> dict[str, Any]:
    """The body of an error's answer. The first member is GitLab's; ``detail`` and ``details`` say
    more, for people."""
    match error:
        case BadParameters() if error.details:
            return {"error": error.message, "details": error.details}
        case BadParameters():
            return {"error": error.message}
        case Invalid():
            return {"message": {name: list(texts) for name, texts in error.fields.items()}}
        case Unauthenticated():
            return {"message": "401 Unauthorized", "detail": error.message}
        case Forbidden():
            return {"message": "403 Forbidden", "detail": error.message}
        case NotFound():
            # No detail: it would tell what is hidden from what is not there.
            return {"message": "404 Not found"}
        case InvalidRequest():
            return {"message": f"400 Bad request - {error.message}"}
        case Conflict():
            return {"message": f"409 Conflict - {error.message}"}
        case _:
            return {"message": f"{error.status} {error.message}"}


def encoded(error: VirtregError) -> bytes:
    return msgspec.json.encode(told(error))
