"""URLs of upstreams as they are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wsgi.api.desks import MAVEN, Desk
from virtreg.core.egress import EgressPolicy
from virtreg.core.weburl import check_url
from virtreg.errors import Invalid
from virtreg.wsgi.api.flavour import CONTAINER, FLAVOURS, Flavour
from virtreg.wsgi.api.flavour import MAVEN as PACKAGES
from virtreg.wsgi.api.urls import normalised


@pytest.mark.parametrize(
    ("flavour", "text", "kept"),
    [
        (PACKAGES, " https://Repo.Example/Maven2/ ", "https://repo.example/Maven2"),
        (PACKAGES, "HTTPS://repo.example:443", "https://repo.example"),
        (PACKAGES, "http://repo.example:80/a//", "http://repo.example/a"),
        (PACKAGES, "https://repo.example:8443/a.git/", "https://repo.example:8443/a"),
        (PACKAGES, "https://repo.example/v2", "https://repo.example/v2"),
        (PACKAGES, "https://8.8.8.8/a", "https://8.8.8.8/a"),
        (PACKAGES, "https://[2606:4700::1111]/a", "https://[2606:4700::1111]/a"),
        (CONTAINER, "https://ghcr.io/v2/", "https://ghcr.io"),
        (CONTAINER, "https://index.docker.io/v2", "https://registry-1.docker.io"),
        (CONTAINER, "https://docker.io/", "https://registry-1.docker.io"),
    ],
)
def test_a_url_has_one_spelling(flavour: Flavour, text: str, kept: str) -> None:
    assert normalised(text, flavour) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "repo.example",
        "ftp://repo.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//repo.example",
        "https://",
        "https:///a",
        "https://ann:pw@repo.example",
        "https://repo.example/a?b=c",
        "https://repo.example/a?",
        "https://repo.example/a#b",
        "https://repo.example/a/../b",
        "https://repo.example/%2e%2E/b",
        "https://repo.example/.",
        "https://repo.example/a\\..\\b",
        "https://repo.example:0",
        "https://repo.example:99999",
        "https://repo.example/a b",
        "https://repo.example/a\nHost: b",
        "https://repo.example/" + 255 * "a",
        "http://localhost",
        "http://LOCALHOST.:8080",
        "http://a.localhost",
        "http://127.0.0.1",
        "http://127.1",
        "http://2130706433",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://0.0.0.0",
        "http://10.1.2.3/a",
        "http://172.16.0.1",
        "http://192.168.1.1",
        "http://169.254.169.254/latest",
        "http://100.64.0.1",
        "http://[::1]",
        "http://[::]",
        "http://[fe80::1]",
        "http://[fd00::1]",
        "http://[::ffff:127.0.0.1]",
        "http://[64:ff9b::7f00:1]",
        "http://[2002:7f00:1::]",
    ],
)
@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda flavour: flavour.format)
def test_a_url_that_leads_nowhere_or_inside_is_refused(flavour: Flavour, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalised(text, flavour)
    assert list(refused.value.fields) == ["url"]


def test_a_page_of_docker_hub_is_no_registry() -> None:
    with pytest.raises(Invalid, match=r"registry-1\.docker\.io"):
        normalised("https://hub.docker.com/_/alpine", CONTAINER)


_TEXT = st.text(alphabet="ab.:/%2eE@?#[]-_ \tvgit20", max_size=40)


@given(st.sampled_from(FLAVOURS), st.sampled_from(["http://", "HTTPS://", " https://", ""]), _TEXT)
def test_what_is_kept_is_kept_as_it_is(flavour: Flavour, scheme: str, rest: str) -> None:
    try:
        kept = normalised(scheme + rest, flavour)
    except Invalid:
        return
    assert normalised(kept, flavour) == kept
    assert EgressPolicy().refuses_host(check_url(kept).host) is None


@given(st.integers(0, 2**32 - 1))
def test_an_address_is_taken_when_it_is_public(number: int) -> None:
    octets = ".".join(str(byte) for byte in number.to_bytes(4))
    public = EgressPolicy().refuses(octets) is None
    try:
        normalised(f"https://{octets}/a", PACKAGES)
    except Invalid:
        assert not public
    else:
        assert public


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "gopher://a.example", "https://a.example/?q"]
)
def test_the_field_is_named_wherever_a_url_is_sent(desk: Desk, url: str) -> None:
    registry = desk.registry()
    one = desk.upstream(registry)["id"]
    root = f"/virtual_registries/{MAVEN}"
    body = {"name": "central", "url": url}
    for method, path in (
        ("POST", f"{root}/registries/{registry}/upstreams"),
        ("PATCH", f"{root}/upstreams/{one}"),
        ("POST", f"{root}/upstreams/{one}/test"),
        ("POST", f"/groups/1/-/virtual_registries/{MAVEN}/upstreams/test"),
    ):
        answer = desk.ask(method, path, body=body)
        assert answer.status == 400
        named = answer.json.get("message", answer.json.get("error"))
        assert "url" in named
