"""Authenticators that know who somebody is and not what they may do let nobody manage."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, get_args

import pytest
from werkzeug.security import generate_password_hash

from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.backends.auth.header import TrustedHeader
from virtreg.backends.auth.passwords import PasswordAuthenticator
from virtreg.errors import Unauthenticated
from virtreg.model import Action, Credentials, Principal, Scope
from virtreg.protocols import Authenticator

ANN = Credentials(
    "Basic " + base64.b64encode(b"ann:secret").decode(),
    {"HTTP_X_USER": "ann", "REMOTE_ADDR": "127.0.0.1"},
)
HASH = generate_password_hash("secret", "pbkdf2:sha256:1")


def _basic(**arguments: Any) -> Authenticator:
    return BasicAuthenticator({"ann": HASH}, **arguments)


def _passwords(**arguments: Any) -> Authenticator:
    return PasswordAuthenticator(lambda name, _: name, **arguments)


def _header(**arguments: Any) -> Authenticator:
    return TrustedHeader("X-User", ["127.0.0.1"], **arguments)


@pytest.mark.parametrize("make", [_basic, _passwords, _header])
@pytest.mark.parametrize("action", get_args(Action))
@pytest.mark.parametrize("public", [False, True])
def test_whoever_signs_in_may_pull_and_nothing_else_unless_it_is_said(
    make: Callable[..., Authenticator], action: Action, public: bool
) -> None:
    scope = Scope("registry", "", action, group="team", public=public)
    if action == "pull":
        if not public:
            assert make().admit(ANN, scope) == Principal("ann")
    else:
        # Who has pulled before is no better off.
        pulls = make()
        pulls.admit(ANN, Scope("registry", "a"))
        with pytest.raises(Unauthenticated, match=action):
            pulls.admit(ANN, scope)
        assert make(managing=True).admit(ANN, scope) == Principal("ann")
