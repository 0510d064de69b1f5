"""Everybody may pull."""

from __future__ import annotations

from typing import Final

from virtreg.model import Credentials, Principal, Scope

ANONYMOUS: Final = Principal()


class Anonymous:
    """Admits every caller as the anonymous principal, whatever they present."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:  # noqa: ARG002
        return ANONYMOUS
