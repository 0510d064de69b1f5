"""What a grant says, and what its holder is given."""

from __future__ import annotations

from typing import Final, NamedTuple

from attrs import frozen

from virtreg.model import Principal

LEEWAY: Final = 60
"""Seconds by which clocks may differ, as other registries allow."""
REFRESH_SECONDS: Final = 30 * 86_400
"""How long a refresh token is good."""
MOST_SECONDS: Final = 86_400
"""How long a grant may be good."""


@frozen
class Granted:
    """A grant that was verified."""

    principal: Principal
    access: frozenset[tuple[str, str]]
    """Pairs of registry and repository that may be pulled. A repository that is empty is what
    belongs to the registry as a whole, such as its catalog, and no repository."""
    expires_at: float
    """Without the leeway."""
    id: str
    """Different for each grant; for logs."""
    kid: str
    """Of the key that signed it."""


class Issued(NamedTuple):
    """A grant for its holder. The text is a secret: not shown by ``repr``."""

    text: str
    expires_in: int
    """Seconds."""
    issued_at: int
    """Seconds since the epoch."""

    def __repr__(self) -> str:
        return f"Issued(text=…, expires_in={self.expires_in}, issued_at={self.issued_at})"
