"""Everybody may pull."""

from __future__ import annotations

from typing import Final

from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope

ANONYMOUS: Final = Principal()


class Anonymous:
    """Lets every caller pull, as the anonymous principal, whatever they present; and nobody do
    anything else."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:  # noqa: ARG002
        """Raises Unauthenticated for every other action."""
        if scope.action != "pull":
            raise Unauthenticated(
                "nobody can sign in here: managing takes logins, which `[access] enabled = true` "
                "turns on, or the commands of `virtreg` on the server itself"
            )
        return ANONYMOUS
