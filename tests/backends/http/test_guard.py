"""The egress guard: what a name resolves to is what is checked and reached."""

from __future__ import annotations

import pytest

from tests.backends.http.peers import get, upstream
from virtreg.backends.http.guard import Dialer
from virtreg.core.egress import EgressPolicy
from virtreg.errors import UpstreamRefused
from virtreg.model import Fetch
from virtreg.testing.origin import Origin


@pytest.mark.parametrize("allowed", [(), ("10.0.0.0/8",)])
@pytest.mark.parametrize("named", [False, True])
def test_loopback_is_refused_unless_allowed(allowed: tuple[str, ...], named: bool) -> None:
    with Origin({"a": b"x"}) as origin:
        url = origin.named_url if named else origin.url
        with (
            upstream(url, allow_private=allowed) as up,
            pytest.raises(UpstreamRefused, match="a loopback address"),
        ):
            up.fetch(Fetch("a"))
        assert origin.requests == []


def test_a_name_is_refused_when_any_of_its_addresses_is() -> None:
    with Origin({"a": b"x"}) as origin:
        with (
            upstream(origin.named_url, allow_private=("::1/128",)) as up,
            pytest.raises(UpstreamRefused, match=r"localhost \(127\.0\.0\.1\)"),
        ):
            up.fetch(Fetch("a"))
        assert origin.requests == []


def test_only_addresses_of_the_host_the_operator_named_are_told() -> None:
    with pytest.raises(UpstreamRefused, match="localhost may not be reached: a loopback") as caught:
        Dialer("up", EgressPolicy(), "repo.example.org").dial("localhost", 1, 1)
    assert "127" not in caught.value.message


def test_an_allowed_name_keeps_its_name_in_the_request() -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.named_url) as up:
        assert get(up, "a") == (200, b"x")
        assert origin.requests[0].headers["host"] == f"localhost:{origin.port}"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_numbers_the_resolver_reads_as_addresses_are_judged_as_those(host: str) -> None:
    with pytest.raises(UpstreamRefused, match=r"127\.0\.0\.1"):
        Dialer("up", EgressPolicy(), host).dial(host, 1, 1)


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1"])
def test_link_local_is_refused_whatever_range_is_allowed(address: str) -> None:
    policy = EgressPolicy(("0.0.0.0/0", "::/0"))
    with pytest.raises(UpstreamRefused, match="may not be reached"):
        Dialer("up", policy).dial(address, 1, 1)


def test_a_stored_upstream_maps_no_network_for_whoever_made_it() -> None:
    with Origin({"a": b"x"}) as origin:
        with (
            upstream(origin.named_url, allow_private=(), id=7) as up,
            pytest.raises(UpstreamRefused, match="localhost may not be reached: a") as caught,
        ):
            up.fetch(Fetch("a"))
        assert origin.requests == []
    assert "127" not in caught.value.message
    assert "::1" not in caught.value.message
