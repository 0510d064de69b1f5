"""The Maven format as the rest of virtreg meets it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.maven import documents
from virtreg.errors import (
    IntegrityError,
    InvalidRequest,
    NotFound,
    StorageError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    VirtregError,
)
from virtreg.formats import named
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.formats.maven.prefixes import HEADER
from virtreg.model import Algorithm, Answered, Representation
from virtreg.protocols import Format
from virtreg.testing.formats import FormatSuite

JAR = "com/acme/app/1.0/app-1.0.jar"
SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
MD5 = "d41d8cd98f00b204e9800998ecf8427e"
maven = MavenFormat()


class TestMavenFormat(FormatSuite):
    valid_paths = (
        JAR,
        f"{JAR}.sha256",
        f"{JAR}.asc.md5",
        documents.ARTIFACT_PATH,
        f"{documents.ARTIFACT_PATH}.sha1",
        documents.SNAPSHOT_PATH,
        "com/acme/app/1.0-SNAPSHOT/app-1.0-20240131.120000-7.pom",
        "archetype-catalog.xml",
        ".meta/prefixes.txt",
    )
    invalid_paths = ("com/acme/", "com//acme", ".index/x", "a.sha1.md5", "a%2fb")
    merge_samples: ClassVar[Mapping[str, Sequence[bytes]]] = {
        documents.ARTIFACT_PATH: (documents.artifact("1"), documents.artifact("2", "3")),
        "com/acme/maven-metadata.xml": (
            documents.group(("a", "b")),
            documents.group(("c", "d")),
        ),
        documents.SNAPSHOT_PATH: (
            documents.snapshot("20240101.000000", ("", "1", "20240101000000")),
            documents.snapshot("20240102.000000", ("", "2", "20240102000000")),
        ),
        ".meta/prefixes.txt": (f"{HEADER}\n/a\n".encode(), f"{HEADER}\n/b\n".encode()),
    }

    def make_format(self) -> Format:
        return named("maven")


def test_files_are_held_to_their_checksum_files_and_documents_are_not() -> None:
    expectation = maven.expect(maven.route(JAR))
    assert expectation.accept == "*/*"
    assert expectation.max_bytes == 5 * 1024**3
    assert expectation.sidecars == (
        (Algorithm.SHA1, f"{JAR}.sha1"),
        (Algorithm.MD5, f"{JAR}.md5"),
    )
    for path in (documents.ARTIFACT_PATH, ".meta/prefixes.txt"):
        assert maven.expect(maven.route(path)).sidecars == ()
        assert maven.expect(maven.route(path)).max_bytes == 5 * 1024**2
    assert maven.expect(maven.route("archetype-catalog.xml")).sidecars == ()


def test_stated_digests_are_claims() -> None:
    headers = {"etag": f"{{SHA1{{{SHA1}}}}}", "x-checksum-md5": MD5}
    examination = maven.examine(maven.route(JAR), headers, b"PK\x03\x04")
    assert examination.claims == {Algorithm.SHA1: SHA1, Algorithm.MD5: MD5}
    assert examination.refusal is None


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.pom", b"<?xml version='1.0'?>"),
        ("a.pom", b"\xef\xbb\xbf \r\n<project>"),
        ("a.xml", "<project>".encode("utf-16")),
        ("A.JAR", b"PK\x03\x04"),
        ("a.jar", b"#!/bin/bash"),
        ("a.zip", b"PK\x05\x06"),
        ("a.tar.gz", b"\x1f\x8b\x08"),
        ("a.module", b"\n{"),
        ("a.json", b"["),
        ("a.txt", b""),
        ("a.bin", b""),
        ("a.html", b"<!DOCTYPE html>"),
        ("a.jar.asc", b"-----BEGIN PGP SIGNATURE-----"),
    ],
)
def test_plausible_content_is_accepted(name: str, head: bytes) -> None:
    assert maven.examine(maven.route(f"g/{name}"), {}, head).refusal is None


@pytest.mark.parametrize(
    ("name", "media_type", "head", "refusal"),
    [
        ("a.pom", "", b" <!DOCTYPE HTML><html>", "expected a.pom, got an HTML page"),
        ("a.txt", "", b"\xef\xbb\xbf\n<HTML lang=en>", "expected a.txt, got an HTML page"),
        ("a.bin", "Text/HTML; charset=x", b"Log in", "got content of type text/html"),
        ("a.pom", "", b"", "XML, which begins with '<', got an empty body"),
        ("a.xml", "", b"{}", "XML, which begins with '<', got the bytes 7B 7D"),
        ("a.jar", "", b"", "an archive, which begins with PK, got an empty body"),
        ("a.aar", "", b"GIF89a", "an archive, which begins with PK, got the bytes 47 49 46 38"),
        ("a.tgz", "", b"PK", "gzip, which begins with 1F 8B, got the bytes 50 4B"),
        ("a.module", "", b"<x>", "JSON, which begins with '{' or '[', got the bytes 3C 78 3E"),
    ],
)
def test_what_cannot_be_the_file_is_refused(
    name: str, media_type: str, head: bytes, refusal: str
) -> None:
    route = maven.route(f"g/{name}")
    verdict = maven.examine(route, {"content-type": media_type}, head).refusal
    assert verdict is not None
    assert refusal in verdict


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        (JAR, "application/java-archive"),
        ("a.pom", "application/xml"),
        ("maven-metadata.xml", "application/xml"),
        ("a.module", "application/json"),
        ("a.jar.asc", "application/pgp-signature"),
        ("a.tar.gz", "application/gzip"),
        ("a.html", "application/octet-stream"),
        ("a.svg", "application/octet-stream"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_media_types_follow_from_the_name_alone(path: str, media_type: str) -> None:
    headers = dict(maven.headers(maven.route(path), Representation(1, content_type="text/html")))
    assert headers == {
        "Content-Type": media_type,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Disposition": "attachment",
    }


def test_known_digests_are_sent_with_the_file_but_not_with_its_checksum() -> None:
    known = Representation(0, {Algorithm.MD5: MD5, Algorithm.SHA1: SHA1})
    headers = dict(maven.headers(maven.route(JAR), known))
    assert headers["X-Checksum-Sha1"] == SHA1
    assert headers["X-Checksum-Md5"] == MD5
    assert "X-Checksum-Sha256" not in headers
    sidecar = dict(maven.headers(maven.route(f"{JAR}.sha1"), known))
    assert sidecar["Content-Type"] == "text/plain"
    assert not [name for name in sidecar if name.startswith("X-Checksum")]


def problem(error: VirtregError) -> tuple[dict[str, str], dict[str, Any]]:
    told = maven.problem(error)
    return dict(told.headers), json.loads(told.body)


def test_absence_names_what_each_upstream_said() -> None:
    headers, body = problem(
        NotFound("no upstream has it", answers=[Answered("central", "absent", "404 Not Found")])
    )
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Cache-Control"] == "no-store"
    assert "Retry-After" not in headers
    assert body == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no upstream has it",
        "code": "not_found",
        "message": "404 Not Found",
        "upstreams": [{"name": "central", "outcome": "absent", "detail": "404 Not Found"}],
    }


def test_a_broken_upstream_comes_with_the_switch_that_passes_it() -> None:
    error = UpstreamTimeout("no first byte in 30 s", upstream="central", barred=True)
    headers, body = problem(error)
    assert headers["Retry-After"] == "30"
    assert body["status"] == 504
    assert body["hint"].startswith("on_error = \"continue\" for upstream 'central'")
    assert "on_refused" not in body["hint"]


def test_a_broken_upstream_that_bars_nobody_comes_without_a_switch() -> None:
    assert "hint" not in problem(UpstreamTimeout("no first byte in 30 s", upstream="central"))[1]


def test_a_refusing_upstream_comes_with_the_switch_that_reads_it_as_absent() -> None:
    _, body = problem(UpstreamRefused("403", upstream="central"))
    assert 'on_refused = "absent"' in body["hint"]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (UpstreamThrottled("slow down", retry_after=12.1), "13"),
        (UpstreamThrottled("slow down", retry_after=0), "1"),
        (UpstreamThrottled("slow down", retry_after=float("inf")), "30"),
        (StorageError("disk full"), "30"),
        (NotFound("soon", retry_after=5), "5"),
    ],
)
def test_waiting_times_are_whole_seconds(error: VirtregError, seconds: str) -> None:
    assert problem(error)[0]["Retry-After"] == seconds


def test_an_error_without_words_still_says_something() -> None:
    assert problem(IntegrityError(""))[1]["detail"] == "Bad Gateway"
    assert "upstreams" not in problem(InvalidRequest("no"))[1]


def test_the_challenge_quotes_the_realm() -> None:
    assert maven.challenge('a "b" \\') == 'Basic realm="a \\"b\\" \\\\", charset="UTF-8"'
    assert maven.challenge("x\r\ny") == 'Basic realm="x??y", charset="UTF-8"'


def test_files_are_never_merged() -> None:
    with pytest.raises(InvalidRequest, match="never merged"):
        maven.merge(maven.route(JAR), [("a", b"PK")])


def test_only_the_prefix_list_needs_every_upstream() -> None:
    assert maven.complete(maven.route(".meta/prefixes.txt"))
    assert not maven.complete(maven.route(documents.ARTIFACT_PATH))
    with pytest.raises(NotFound):
        maven.merge(maven.route(".meta/prefixes.txt"), [("a", b"@ unsupported")])


@given(st.text(max_size=20), st.binary(max_size=40))
def test_any_answer_is_judged(content_type: str, head: bytes) -> None:
    refusal = maven.examine(maven.route("a.pom"), {"content-type": content_type}, head).refusal
    assert refusal is not None or b"<" in head
