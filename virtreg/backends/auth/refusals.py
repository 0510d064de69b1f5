"""Verdicts as errors, in words that tell what is needed and nothing else."""

from __future__ import annotations

from virtreg.core.identity import Caller
from virtreg.core.permissions import REQUIREMENTS, Verdict
from virtreg.errors import Forbidden, NotFound, Unauthenticated, VirtregError
from virtreg.model import Scope


def refusal(caller: Caller, scope: Scope, verdict: Verdict) -> VirtregError:
    """What somebody known hears who is not allowed something."""
    if verdict is Verdict.UNKNOWN:
        return Unauthenticated(f"{scope.action}: {caller.kind} tokens are not taken for this")
    if verdict is Verdict.HIDDEN:
        # As where there is none: whether there is one is what must not be told.
        return NotFound("there is no registry at this URL")
    requirement = REQUIREMENTS[scope.action]
    if not caller.scopes & requirement.scopes:
        scopes = sorted(requirement.scopes)
        which = "the scope" if len(scopes) == 1 else "one of the scopes"
        return Forbidden(f"{scope.action}: the token needs {which} {', '.join(scopes)}")
    if requirement.role is None:
        return Forbidden(f"{scope.action}: an administrator is needed")
    role = requirement.role.name.lower()
    return Forbidden(f"{scope.action}: the role {role} in group {scope.group!r} is needed")
