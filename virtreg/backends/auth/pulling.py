"""Sign-ins that say who somebody is, and nothing of what they may do."""

from __future__ import annotations

from virtreg.errors import Unauthenticated
from virtreg.model import Scope


def need_pull(scope: Scope, *, managing: bool) -> None:
    """Raises Unauthenticated, before anything is looked at, for every action but pulling; not with
    ``managing``, which lets everybody who signs in do everything.

    Whoever is admitted may do it, so that an authenticator that tells people apart and not what
    they do would have anybody who may pull change what everybody pulls.
    """
    if scope.action != "pull" and not managing:
        raise Unauthenticated(f"{scope.action}: this way to sign in is for pulling alone")
