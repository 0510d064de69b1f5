"""Addresses and URLs an upstream may be reached at."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.egress import EgressPolicy, check_url

PUBLIC = ["1.1.1.1", "8.8.8.8", "151.101.0.209", "2606:4700::1111", "2a04:4e42::209"]
PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "172.31.255.255",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
]
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
]
EVERYTHING = ("0.0.0.0/0", "::/0")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert EgressPolicy().refuses(address) is None


@pytest.mark.parametrize("address", PRIVATE + NEVER)
def test_everything_else_is_closed_by_default(address: str) -> None:
    assert EgressPolicy().refuses(address) is not None


@pytest.mark.parametrize("address", PRIVATE)
def test_a_range_opens_what_is_inside(address: str) -> None:
    assert EgressPolicy(EVERYTHING).refuses(address) is None


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_metadata_stay_closed_inside_any_range(address: str) -> None:
    policy = EgressPolicy((*EVERYTHING, "169.254.0.0/16", "fe80::/10", "fd00:ec2::/32"))
    assert policy.refuses(address) is not None


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254"])
def test_a_metadata_address_opens_only_when_named_itself(address: str) -> None:
    assert EgressPolicy((address,)).refuses(address) is None


def test_a_range_opens_nothing_outside() -> None:
    policy = EgressPolicy(("10.0.0.0/8",))
    assert policy.refuses("10.255.0.1") is None
    assert policy.refuses("11.0.0.1") is None
    assert policy.refuses("192.168.0.1") == "a private address"


def forms(v4: IPv4Address) -> list[IPv6Address]:
    """Ways an IPv6 address carries an IPv4 address."""
    number = int(v4)
    return [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
        IPv6Address(0x0064_FF9B << 96 | number),
        IPv6Address(0x2001_0000 << 96 | 0x08080808 << 64 | (number ^ 0xFFFFFFFF)),
        IPv6Address(0x2001_0000 << 96 | number << 64 | (0x08080808 ^ 0xFFFFFFFF)),
    ]


@given(st.ip_addresses(v=4))
def test_an_address_inside_an_ipv6_form_is_judged_as_itself(v4: IPv4Address) -> None:
    policy = EgressPolicy()
    plain = policy.refuses(str(v4))
    for form in forms(v4):
        wrapped = policy.refuses(str(form))
        assert (wrapped is None) is (plain is None)
        if plain is not None:
            assert wrapped == f"it carries {v4}, {plain}"


@given(st.ip_addresses(v=4))
def test_the_deprecated_compatible_form_is_no_way_in(v4: IPv4Address) -> None:
    form = IPv6Address(int(v4))
    assert EgressPolicy().refuses(str(v4)) is None or EgressPolicy().refuses(str(form)) is not None


@given(st.ip_addresses())
def test_opening_everything_refuses_only_what_must_be_named(
    address: IPv4Address | IPv6Address,
) -> None:
    reason = EgressPolicy(EVERYTHING).refuses(str(address))
    assert reason is None or "link-local" in reason or "metadata" in reason


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "127.1", "0x7f.0.0.1", "::g"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    assert EgressPolicy().refuses(text) == "it is not an IP address"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "::1"])
def test_hosts_known_to_be_loopback_are_refused_without_resolving(host: str) -> None:
    assert EgressPolicy().refuses_host(host) == "a loopback address"


def test_other_names_pass_until_they_are_resolved() -> None:
    assert EgressPolicy().refuses_host("repo.example.org") is None


@pytest.mark.parametrize("cidr", ["10.0.0.1/8", "10.0.0.0/33", "nowhere", "", "10.0.0.0/8 "])
def test_a_bad_range_is_named(cidr: str) -> None:
    with pytest.raises(ValueError, match="allow_private") as caught:
        EgressPolicy(("127.0.0.0/8", cidr))
    assert repr(cidr) in str(caught.value)


@given(st.integers(0, 32), st.ip_addresses(v=4))
def test_any_true_range_is_accepted(bits: int, inside: IPv4Address) -> None:
    network = IPv4Network((int(inside) >> (32 - bits) << (32 - bits), bits))
    policy = EgressPolicy((str(network),))
    assert (
        policy.refuses(str(inside)) is None
        or inside in IPv4Network("169.254.0.0/16")
        or (policy.refuses(str(inside)) == "a cloud metadata service")
    )


def test_a_url_is_taken_apart() -> None:
    url = check_url("https://Repo.Example.org:8443/a/b%20c?sig=secret")
    assert url.origin == ("https", "repo.example.org", 8443)
    assert url.target == "/a/b%20c?sig=secret"
    assert url.text == "https://repo.example.org:8443/a/b%20c?sig=secret"


def test_a_query_is_never_shown() -> None:
    url = check_url("https://repo.example.org/a?sig=secret")
    assert "secret" not in f"{url} {url!r}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTP://EXAMPLE.ORG:80/A", "http://example.org/A"),
        ("https://example.org:443/", "https://example.org/"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://[0:0::1]/", "http://[::1]/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
        ("http://my_host:1/", "http://my_host:1/"),
    ],
)
def test_one_spelling_per_origin(url: str, shown: str) -> None:
    assert str(check_url(url)) == shown


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://127.0.0.256/",
        "http://127.0.0.0x1/",
        "http://1.2.3.4.5/",
        "http://0x/",
        "http://[::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://[::1/",
        "http://::1/",
        "http://ex ample.org/",
        "http://example.org\\@evil.example/",
        "http://exa%6dple.org/",
        "http://-/",
        "http://a..b/",
        "http:///path",
        "http:path",
        "//example.org/",
        "example.org",
        "",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://user@example.org/",
        "http://user:pass@example.org/",
        "http://@example.org/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:x/",
        "http://example.org/#top",
        "http://example.org/#",
        "http://example.org/\r\nHost: evil",
        "http://exam\nple.org/",
        "http://example.org/\t",
        "http://example.org/\x00",
        "\x01http://example.org/",
        "http://example.org/a b",
        "http://example.org/é",
        "http://example.org/?q=é",
    ],
)
def test_a_dangerous_or_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the URL"):
        check_url(url)


@given(st.text(max_size=60))
def test_any_text_after_the_scheme_is_parsed_or_refused_and_parses_again_the_same(
    text: str,
) -> None:
    try:
        url = check_url(f"http://{text}")
    except ValueError:
        return
    assert check_url(url.text) == url
    assert url.text.isascii()
    assert url.text.isprintable()
