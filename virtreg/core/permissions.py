"""Who may do what: one table, and the decision by it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import frozen

from virtreg.core.identity import Caller, Role, TokenKind, TokenScope
from virtreg.model import Action


@frozen
class Requirement:
    """What one action takes."""

    role: Role | None
    """The least one in the registry's group; None: an administrator."""
    scopes: frozenset[TokenScope]
    """One of them."""
    kinds: frozenset[TokenKind]
    """Tokens of other kinds are not known for this action at all."""


class Verdict(enum.Enum):
    ALLOWED = "allowed"
    UNKNOWN = "unknown"
    """401: nobody known asks."""
    HIDDEN = "hidden"
    """404: the caller may not even know that it is there."""
    FORBIDDEN = "forbidden"
    """403: the caller may read it and not do this."""


_EVERY_KIND = frozenset(TokenKind)
_MANAGING = _EVERY_KIND - {TokenKind.DEPLOY}
_API = frozenset({TokenScope.API})

REQUIREMENTS: Final[Mapping[Action, Requirement]] = MappingProxyType(
    {
        "pull": Requirement(
            Role.GUEST,
            frozenset(
                {
                    TokenScope.API,
                    TokenScope.READ_VIRTUAL_REGISTRY,
                    TokenScope.WRITE_VIRTUAL_REGISTRY,
                }
            ),
            _EVERY_KIND,
        ),
        "read": Requirement(Role.GUEST, _API | {TokenScope.READ_API}, _MANAGING),
        "configure": Requirement(Role.MAINTAINER, _API, _MANAGING),
        "clean_up": Requirement(Role.OWNER, _API, _MANAGING),
        "switch": Requirement(None, _API, frozenset({TokenKind.PERSONAL})),
    }
)


def decide(
    caller: Caller | None, action: Action, group: str, *, public: bool = False, enabled: bool = True
) -> Verdict:
    """Whether a caller, None for nobody, may do this with a registry of ``group``. ``public``: also
    strangers may pull. ``enabled``: the group's registries are turned on; else nothing of them is
    there, except for the administrator who turns them on again."""
    requirement = REQUIREMENTS[action]
    if public and enabled and action == "pull":
        return Verdict.ALLOWED
    if caller is None or caller.kind not in requirement.kinds:
        return Verdict.UNKNOWN
    if not enabled and action != "switch":
        return Verdict.HIDDEN
    if not caller.administrator and group not in caller.roles:
        return Verdict.HIDDEN
    scoped = bool(caller.scopes & requirement.scopes)
    return Verdict.ALLOWED if scoped and _reaches(caller, requirement, group) else Verdict.FORBIDDEN


def _reaches(caller: Caller, requirement: Requirement, group: str) -> bool:
    if caller.administrator:
        return True
    return requirement.role is not None and caller.roles[group] >= requirement.role
