from __future__ import annotations

import socket

import pytest

from virtreg.cli.serving import CannotListen, claim


def test_port_zero_becomes_a_free_port() -> None:
    address, port = claim("127.0.0.1", 0)
    assert address == "127.0.0.1"
    assert claim("127.0.0.1", port) == (address, port)


def test_a_name_becomes_an_address() -> None:
    assert claim("localhost", 0)[0] in {"127.0.0.1", "::1"}


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_in_use_is_said_to_be_even_when_its_owner_would_share_it(shared: bool) -> None:
    with socket.socket() as owner:
        if shared:
            owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        with pytest.raises(CannotListen) as refusal:
            claim("127.0.0.1", port)
    assert refusal.value.message == f"port {port} is in use; choose another with --port"


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1: "):
        claim("192.0.2.1", 0)
