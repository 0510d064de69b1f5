"""Specs that cannot be used are told apart at once, without their secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from virtreg.backends.http import HttpUpstream
from virtreg.errors import ConfigError
from virtreg.model import Secret, UpstreamSpec

URL = "https://repo.example.org/maven2"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"url": "ftp://example.org"}, "url"),
        ({"url": "https://SECRET:SECRET@example.org"}, "url"),
        ({"url": "https://example.org/?token=SECRET"}, "url"),
        ({"url": "https://example.org/?"}, "url"),
        ({"url": "https://example.org/#x"}, "url"),
        ({"url": "http://0x7f.1/"}, "url"),
        ({"allow_private": ("10.0.0.1/8",)}, "allow_private"),
        ({"proxy": "socks5://SECRET:SECRET@127.0.0.1:1"}, "proxy"),
        ({"proxy": "https://SECRET@127.0.0.1:1"}, "proxy"),
        ({"proxy": "http://SECRET@127.0.0.1:1/path"}, "proxy"),
        ({"proxy": "http://SECRET℀@example.org"}, "proxy"),
        ({"bearer": Secret("SECRET\r\nX: y")}, "credentials"),
        ({"headers": (("Private-Token", Secret("SECRET☃")),)}, "credentials"),
        ({"headers": (("Bad Name", Secret("SECRET")),)}, "credentials"),
        ({"ca_file": "/nonexistent/ca.pem"}, "ca_file"),
    ],
)
def test_an_unusable_spec_names_upstream_and_field(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        HttpUpstream(UpstreamSpec(**({"name": "central", "url": URL} | settings)))
    assert caught.value.message.startswith(f"upstream 'central': {field}: ")
    assert "SECRET" not in caught.value.message


def test_a_spec_does_not_show_its_secrets() -> None:
    spec = UpstreamSpec(
        "central",
        URL,
        username="joe",
        password=Secret("SECRET"),
        bearer=Secret("SECRET"),
        headers=(("Private-Token", Secret("SECRET")),),
        proxy="http://joe:SECRET@127.0.0.1:1",
    )
    assert "SECRET" not in repr(spec) + str(spec)


def test_a_bundle_without_certificates_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(ConfigError, match="ca_file"):
        HttpUpstream(UpstreamSpec("central", URL, ca_file=str(path)))


def test_making_one_touches_no_network() -> None:
    upstream = HttpUpstream(UpstreamSpec("central", "https://nowhere.invalid/"))
    assert upstream.spec.name == "central"
    upstream.close()
