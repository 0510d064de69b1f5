from __future__ import annotations

from collections.abc import Sequence

from virtreg.backends.auth.anonymous import Anonymous
from virtreg.model import Credentials, Principal
from virtreg.protocols import Authenticator
from virtreg.testing.authenticators import AuthenticatorSuite


class TestAnonymous(AuthenticatorSuite):
    def make_authenticator(self) -> Authenticator:
        return Anonymous()

    def admitted(self) -> Sequence[Credentials]:
        return [Credentials(), Credentials("Basic dXNlcjpwYXNzd29yZA=="), Credentials("nonsense")]

    def refused(self) -> Sequence[Credentials]:
        return []

    def test_everybody_is_the_anonymous_principal(self) -> None:
        for credentials in self.admitted():
            assert Anonymous().admit(credentials, self.scope) == Principal()
