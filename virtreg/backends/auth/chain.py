"""Several authenticators as one."""

from __future__ import annotations

from typing import Final

from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Recalls


class Chain:
    """What :func:`chain` returns. Has the power Recalls; thread-safe as far as its parts are."""

    def __init__(self, first: Authenticator, *others: Authenticator) -> None:
        self._parts: Final = (first, *others)
        self._recalling: Final = tuple(part for part in self._parts if isinstance(part, Recalls))

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Whom the first one admits that does not raise Unauthenticated. Raises what that one
        raises, and the last one's Unauthenticated where nobody is known to any."""
        for part in self._parts[:-1]:
            try:
                return part.admit(credentials, scope)
            except Unauthenticated:
                continue
        return self._parts[-1].admit(credentials, scope)

    def stands(self, principal: Principal) -> bool:
        """Whether all those with the power Recalls say so."""
        return all(part.stands(principal) for part in self._recalling)


def chain(first: Authenticator, *others: Authenticator) -> Chain:
    """Ask authenticators in this order until one knows the caller: its word is the last, also where
    it is no. One that admits strangers, to all registries or to public ones, hides those after it
    there. What is slow belongs to the end.

    Those with the power Recalls must stand by principals they never admitted.
    :class:`~virtreg.backends.auth.tokens.TokenAuthenticator` stands by principals without a
    ``token_id``, so others beside it leave that empty, and a chain has one of it.
    :class:`~virtreg.backends.auth.members.Members` stands by holders of tokens that are no users.

    A chain never has the power Readmits, and so gives no refresh tokens: nothing says whose
    principal it was, and a part that goes by names would take up a token that another one refuses.
    """
    return Chain(first, *others)
