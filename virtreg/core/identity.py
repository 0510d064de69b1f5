"""Who there is and what they hold: users, groups, roles, tokens. Frozen values; times are seconds
since the epoch."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, frozen


class Role(enum.IntEnum):
    """What a member may do in a group; a higher one includes the lower ones."""

    GUEST = 10
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class TokenScope(enum.StrEnum):
    """What a token is good for, of what its owner may do."""

    API = "api"
    READ_API = "read_api"
    READ_VIRTUAL_REGISTRY = "read_virtual_registry"
    WRITE_VIRTUAL_REGISTRY = "write_virtual_registry"


class TokenKind(enum.StrEnum):
    """Whose a token is, and by which door it comes."""

    PERSONAL = "personal"
    """A user's own; does what the user may, within its scopes."""
    GROUP = "group"
    """A robot's of one group, with a role there."""
    DEPLOY = "deploy"
    """For machines that pull from one group."""
    JOB = "job"
    """A user's for the time of one CI job."""


@frozen
class User:
    name: str
    administrator: bool = False
    blocked: bool = False
    """Every token of a blocked user is as if it were not there."""


@frozen
class Group:
    """A top-level group: what owns registries."""

    id: int
    name: str
    enabled: bool = True
    """Whether its virtual registries are turned on."""


@frozen
class Token:
    """A token without its secret, of which only a digest is kept."""

    id: str
    """Public; stands in lists and logs."""
    kind: TokenKind
    name: str
    """For people: what it is for."""
    username: str
    """Who it signs in as: its user's name, a robot's, or that of a deploy token."""
    scopes: frozenset[TokenScope]
    created_at: float
    group: str | None = None
    """Of GROUP and DEPLOY tokens: the one group they reach."""
    role: Role | None = None
    """Of GROUP tokens."""
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None

    def good(self, now: float) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@frozen
class Caller:
    """Who presented a good token, with everything a permission hangs on."""

    name: str
    token_id: str
    kind: TokenKind
    scopes: frozenset[TokenScope]
    roles: Mapping[str, Role] = field(factory=dict)
    """By group."""
    administrator: bool = False
