"""Where nobody need be known."""

from __future__ import annotations

from virtreg.model import Scope


def strangers_may(scope: Scope) -> bool:
    """Whether this is open to everybody. Passwords are not checked there: a place where a wrong one
    costs nothing would be one to guess them at."""
    return scope.public and scope.action == "pull"
