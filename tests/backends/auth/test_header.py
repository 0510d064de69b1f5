from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.backends.auth.header import TrustedHeader
from virtreg.errors import ConfigError, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator
from virtreg.testing.authenticators import AuthenticatorSuite

SCOPE = Scope("registry", "a/b")
PROXIES = ("10.0.0.0/8", "::1/128")


def forwarded(user: str, peer: str = "10.1.2.3", **environ: str) -> Credentials:
    return Credentials(environ={"HTTP_X_REMOTE_USER": user, "REMOTE_ADDR": peer, **environ})


class TestTrustedHeader(AuthenticatorSuite):
    def make_authenticator(self) -> Authenticator:
        return TrustedHeader("X-Remote-User", PROXIES)

    def admitted(self) -> Sequence[Credentials]:
        return [forwarded("ann"), forwarded("ben", "::1"), forwarded("cas", "::ffff:10.0.0.1")]

    def refused(self) -> Sequence[Credentials]:
        return [
            Credentials(),
            Credentials("Basic YW5uOnNlY3JldA=="),
            forwarded(""),
            forwarded("ann", "192.0.2.1"),
            forwarded("ann", "::ffff:192.0.2.1"),
            forwarded("ann", "::2"),
            forwarded("ann", ""),
            forwarded("ann", "unix:"),
            Credentials(environ={"HTTP_X_REMOTE_USER": "ann"}),
            Credentials(environ={"HTTP_X_REMOTE_USER": "ann", "REMOTE_ADDR": 0x0A000001}),
            Credentials(environ={"HTTP_X_REMOTE_USER": b"ann", "REMOTE_ADDR": "10.1.2.3"}),
            forwarded("ann", "192.0.2.1", HTTP_X_FORWARDED_FOR="10.1.2.3"),
            Credentials(environ={"HTTP_X_USER": "ann", "REMOTE_ADDR": "10.1.2.3"}),
        ]


def admit(user: str) -> Principal:
    return TrustedHeader("X-Remote-User", PROXIES).admit(forwarded(user), SCOPE)


@pytest.mark.parametrize("user", ["ann", "ann@example.org", "EXAMPLE\\ann", "a" * 255])
def test_the_principal_is_the_user(user: str) -> None:
    assert admit(user) == Principal(user)


def test_a_name_is_utf_8() -> None:
    assert admit("zoë".encode().decode("latin-1")) == Principal("zoë")


@pytest.mark.parametrize(
    "user", ["ann,eve", "ann, eve", "ann eve", "a\nb", "a\x00", "zoë", "a\u0142", "a" * 256]
)
def test_what_is_no_name_is_refused_without_being_told(user: str) -> None:
    with pytest.raises(Unauthenticated, match="X-Remote-User holds no user name") as refusal:
        admit(user)
    assert user not in str(refusal.value)


@given(st.ip_addresses(v=4))
def test_only_a_peer_within_the_range_is_trusted(peer: IPv4Address) -> None:
    authenticator = TrustedHeader("X-Remote-User", ["128.0.0.0/1"])
    for spelled in (str(peer), f"::ffff:{peer}"):
        if int(peer) >= 1 << 31:
            assert authenticator.admit(forwarded("ann", spelled), SCOPE) == Principal("ann")
        else:
            with pytest.raises(Unauthenticated, match="trusted proxy"):
                authenticator.admit(forwarded("ann", spelled), SCOPE)


@pytest.mark.parametrize(
    ("name", "proxies", "reason"),
    [
        ("", PROXIES, "header name"),
        ("X_Remote_User", PROXIES, "underscores"),
        ("X-User:", PROXIES, "header name"),
        ("X-User", (), "no proxies"),
        ("X-User", ("10.0.0.1/8",), "host bits"),
        ("X-User", ("gateway",), "gateway"),
    ],
)
def test_what_cannot_be_meant_is_a_configuration_error(
    name: str, proxies: Sequence[str], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        TrustedHeader(name, proxies)
