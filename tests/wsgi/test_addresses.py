"""Callers by address, and proxies that speak for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.wsgi.addresses import Addresses

PROXIES = Addresses(["10.0.0.0/8", "2001:db8:1::/48"])


def request(peer: str | None, forwarded: str | None = None) -> dict[str, Any]:
    environ: dict[str, Any] = {} if peer is None else {"REMOTE_ADDR": peer}
    return environ if forwarded is None else environ | {"HTTP_X_FORWARDED_FOR": forwarded}


@pytest.mark.parametrize(
    ("peer", "caller"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:9:8:7:6:5:4", "2001:db8:9:8::/64"),
        ("2001:db8:9:8::1", "2001:db8:9:8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("no:address", "no:address"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8:9:8::1]:4711", "2001:db8:9:8::/64"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_caller_is_an_ipv4_address_or_an_ipv6_network(peer: str | None, caller: str) -> None:
    assert Addresses().of(request(peer)) == caller


def test_nobody_speaks_for_others_unless_trusted() -> None:
    assert Addresses().of(request("10.0.0.1", "198.51.100.7")) == "10.0.0.1"
    assert PROXIES.of(request("192.0.2.1", "198.51.100.7")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("2001:db8:1::5", "2001:db8:9:8::1,10.0.0.2", "2001:db8:9:8::/64"),
        ("", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:5678", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7:5678, 10.0.0.2:80", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8:9:8::1]:5678", "2001:db8:9:8::/64"),
        ("10.0.0.1", "[2001:db8:9:8::1]", "2001:db8:9:8::/64"),
        ("10.0.0.1", "198.51.100.7, [2001:db8:1::5]:443", "198.51.100.7"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::/64"),
        ("10.0.0.1", "[fe80::1%eth0]:5678", "fe80::/64"),
        ("10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2%eth0", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2:x", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2:", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, [10.0.0.2]:80", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, [2001:db8:1::5", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, [2001:db8:1::5]x", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, 2001:db8:1::5%", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, 2001:db8:1::5%a b", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, 2001:db8:1::5%" + "a" * 200, "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2\t", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7," + "10.0.0.2," * 100_000, "10.0.0.1"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_proxy_is_believed_about_the_address_before_its_own(
    peer: str, forwarded: str | None, caller: str
) -> None:
    assert PROXIES.of(request(peer, forwarded)) == caller


_ADDRESSES = st.ip_addresses().map(str)


@given(_ADDRESSES, st.integers(0, 65535), st.sampled_from(["eth0", "7", "br-0.1"]))
def test_a_port_and_a_zone_are_nobody(address: str, port: int, zone: str) -> None:
    plain = PROXIES.of(request("10.0.0.1", address))
    spelled = [f"{address}:{port}"]
    if ":" in address:
        spelled = [f"[{address}]:{port}", f"{address}%{zone}", f"[{address}%{zone}]:{port}"]
    assert {PROXIES.of(request("10.0.0.1", text)) for text in spelled} == {plain}


def test_a_proxy_that_nobody_trusts_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    alone = Addresses()
    alone.of(request("10.0.0.1"))
    assert caplog.records == []
    for _ in range(3):
        alone.of(request("10.0.0.1", "198.51.100.7"))
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("WARNING", "virtreg.wsgi.addresses")
    assert "[server] trusted_proxies" in record.getMessage()
    assert "198.51.100.7" not in record.getMessage()


def test_where_a_proxy_is_trusted_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    PROXIES.of(request("192.0.2.1", "198.51.100.7"))
    assert caplog.records == []


@given(st.lists(st.ip_addresses(v=4).map(str), max_size=5), st.ip_addresses(v=4).map(str))
def test_what_a_caller_invents_does_not_change_who_it_is(invented: list[str], caller: str) -> None:
    forwarded = ", ".join([*invented, caller])
    found = PROXIES.of(request("10.0.0.1", forwarded))
    assert found == caller or caller.startswith("10.")


def test_what_is_trusted_must_be_a_range() -> None:
    with pytest.raises(ValueError, match="10"):
        Addresses(["10.0.0.1/8"])
