from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.model import RegistrySpec
from virtreg.snippets import Snippet, registry_url, snippets

MAIN = RegistrySpec(id=3, name="main", format="maven", upstreams=())


def _text(base_url: str, title: str) -> str:
    (found,) = [snippet for snippet in snippets(base_url, MAIN) if snippet.title == title]
    return found.text


@pytest.mark.parametrize("base_url", ["http://h:1/p", "http://h:1/p/"])
def test_a_registry_is_reached_below_its_format_by_name(base_url: str) -> None:
    assert registry_url(base_url, MAIN) == "http://h:1/p/maven/main/"


def test_maven_is_told_to_use_the_registry_for_everything() -> None:
    root = ElementTree.fromstring(_text("https://repo.example.org", "Maven"))
    assert root.findtext("mirrors/mirror/mirrorOf") == "*"
    assert root.findtext("mirrors/mirror/url") == "https://repo.example.org/maven/main/"


@given(st.text(st.characters(categories=["L", "P", "S", "N"])))
def test_any_url_survives_in_xml(path: str) -> None:
    root = ElementTree.fromstring(_text(f"http://h/{path}x", "Maven"))
    assert root.findtext("mirrors/mirror/url") == f"http://h/{path}x/maven/main/"


def test_plain_http_is_allowed_where_new_tools_ask_for_that() -> None:
    assert "allowInsecureProtocol = true" in _text("http://h", "Gradle 7 and later")
    assert "allowInsecureProtocol" not in _text("https://h", "Gradle 7 and later")
    assert "allowInsecureProtocol" not in _text("http://h", "Gradle 6 and older")
    assert ".withAllowInsecureProtocol(true)" in _text("http://h", "sbt")
    assert "Insecure" not in _text("https://h", "sbt")


def test_quotes_cannot_end_a_build_scripts_string() -> None:
    assert r"url 'http://h/a\'b\\c/maven/main/'" in _text(r"http://h/a'b\c", "Gradle 6 and older")
    assert r'"http://h/a\"b\\c/maven/main/"' in _text(r"http://h/a" + '"' + r"b\c", "sbt")


def test_a_format_without_tools_has_no_snippets() -> None:
    none: tuple[Snippet, ...] = ()
    assert snippets("http://h", RegistrySpec(1, "a", "unheard-of", ())) == none
