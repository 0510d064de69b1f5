"""Which paths are routed, where, and why others are refused."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.errors import InvalidRequest, NotFound
from virtreg.formats.maven.paths import parse
from virtreg.model import Algorithm, Freshness, Route

IMMUTABLE, ARTIFACT, METADATA = Freshness.IMMUTABLE, Freshness.ARTIFACT, Freshness.METADATA


@pytest.mark.parametrize(
    ("path", "freshness"),
    [
        ("com/acme/app/1.0/app-1.0.jar", ARTIFACT),
        ("com/acme/app/1.0/app-1.0-sources.jar.asc", ARTIFACT),
        ("com/acme/app/1.0/notes.txt", ARTIFACT),
        ("robots.txt", ARTIFACT),
        ("app-SNAPSHOT.jar", ARTIFACT),
        ("com/acme/app/1.0-SNAPSHOT/app-1.0-20240131.120000-7.jar", IMMUTABLE),
        ("com/acme/app/1.0-SNAPSHOT/app-1.0-20240131.120000-7-sources.jar", IMMUTABLE),
        ("com/acme/app/1.0-SNAPSHOT/app-1.0-20240131.120000-7.tar.gz", IMMUTABLE),
        ("com/acme/app/SNAPSHOT/app-20240131.120000-7.jar", IMMUTABLE),
        ("com/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar", METADATA),
        ("com/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT-tests.jar", METADATA),
        ("com/acme/app/SNAPSHOT/app-SNAPSHOT.pom", METADATA),
        ("com/acme/app/1.0-SNAPSHOT/app-1.1-20240131.120000-7.jar", ARTIFACT),
        ("com/acme/app/1.0-SNAPSHOT/other-1.0-20240131.120000-7.jar", ARTIFACT),
        ("com/acme/app/1.0-SNAPSHOT/app-1.0-20240131.120000-7", ARTIFACT),
        ("com/acme/app/1.0-SNAPSHOT/app-1.0-2024.12-7.jar", ARTIFACT),
        ("com/acme/app/1.0/app-1.0-20240131.120000-7.jar", ARTIFACT),
        ("com/acme/app/1.0/app-1.0-SNAPSHOT.jar", ARTIFACT),
        ("com/acme/app/1.0SNAPSHOT/app-1.0SNAPSHOT.jar", ARTIFACT),
        ("archetype-catalog.xml", METADATA),
        ("com/acme/archetype-catalog.xml", METADATA),
        ("com/acme/app/1.0/maven-metadata.xml.asc", ARTIFACT),
        ("com/acme/my-maven-metadata.xml", ARTIFACT),
        ("com/ümläut/日本/1.0/日本-1.0.jar", ARTIFACT),
        ("com/.meta/x.jar", ARTIFACT),
    ],
)
def test_a_file_is_as_fresh_as_its_name_allows(path: str, freshness: Freshness) -> None:
    assert parse(path) == Route(path, freshness)


@pytest.mark.parametrize(
    "path",
    [
        "maven-metadata.xml",
        "com/acme/maven-metadata.xml",
        "com/acme/app/maven-metadata.xml",
        "com/acme/app/1.0-SNAPSHOT/maven-metadata.xml",
        ".meta/prefixes.txt",
    ],
)
def test_documents_about_the_repository_are_merged(path: str) -> None:
    assert parse(path) == Route(path, METADATA, merged=True)


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize(
    "path",
    [
        "com/acme/app/1.0/app-1.0.jar",
        "com/acme/app/1.0/app-1.0.jar.asc",
        "com/acme/app/1.0-SNAPSHOT/app-1.0-20240131.120000-7.jar",
        "com/acme/app/maven-metadata.xml",
        "archetype-catalog.xml",
        ".meta/prefixes.txt",
    ],
)
def test_a_checksum_is_routed_with_its_file(path: str, algorithm: Algorithm) -> None:
    file = parse(path)
    route = parse(f"{path}.{algorithm}")
    assert route == Route(path, file.freshness, file.merged, checksum=algorithm)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a//b", "the path has an empty segment"),
        ("/a", "the path has an empty segment"),
        ("/", "the path has an empty segment"),
        ("a//", "the path has an empty segment"),
        ("a/./b", "the path has the segment '.'"),
        ("../a", "the path has the segment '..'"),
        ("a/..", "the path has the segment '..'"),
        ("a/../", "the path has the segment '..'"),
        ("a\\b", "the path has a backslash"),
        ("a/%2e%2e/b", "the path has a percent sign: it is escaped twice"),
        ("a\x00b", "the path has the control character U+0000"),
        ("a\r\nb", "the path has the control character U+000D"),
        ("a\x7f", "the path has the control character U+007F"),
        ("a\x85", "the path has the control character U+0085"),
        ("a\ud800", "the path is not Unicode text"),
        ("é" * 513, "the path has 1026 bytes; at most 1024 are allowed"),
    ],
)
def test_text_outside_the_grammar_is_refused_with_the_reason(path: str, reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(path)
    assert caught.value.message == reason


def test_the_longest_path_is_still_a_path() -> None:
    assert parse("é" * 512).path == "é" * 512


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "this is the registry itself; directories are not listed"),
        ("com/acme/", "directories are not listed"),
        ("a.jar.sha1.md5", "checksum of a checksum"),
        ("com/.sha1", "without a name"),
        (".md5", "without a name"),
        ("..sha1", "without a name"),
        ("com/...sha512", "without a name"),
        (".meta", "never proxied"),
        (".meta/prefixes.txt.asc", "never proxied"),
        (".meta/sub/prefixes.txt", "never proxied"),
        (".meta/maven-metadata.xml", "never proxied"),
        (".index/nexus-maven-repository-index.gz", "never proxied"),
        (".nexus/attributes.sha1", "never proxied"),
    ],
)
def test_what_is_never_served_is_not_found(path: str, reason: str) -> None:
    with pytest.raises(NotFound, match=reason):
        parse(path)


hostile = st.text(
    alphabet=string.ascii_lowercase[:3] + "./\\%~\x00\x7f\u0085 é.SNAPHOT-1", max_size=40
)


@given(st.one_of(st.text(), hostile))
def test_any_text_is_routed_or_refused(path: str) -> None:
    try:
        route = parse(path)
    except (InvalidRequest, NotFound):
        return
    assert path.startswith(route.path)
    assert (route.checksum is None) == (route.path == path)
    assert not {"", ".", ".."} & set(route.path.split("/"))
    file = parse(route.path)
    assert (file.path, file.freshness, file.merged) == (route.path, route.freshness, route.merged)
    assert file.checksum is None
