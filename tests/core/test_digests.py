"""What counts as a stated digest, and what does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.digests import etag_claims, header_claims, parse_sidecar
from virtreg.model import Algorithm

SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
MD5 = "d41d8cd98f00b204e9800998ecf8427e"

SPELLINGS: list[Callable[[str], str]] = [
    lambda digest: digest,
    lambda digest: f"{digest}\n",
    lambda digest: f"  {digest.upper()}\r\n",
    lambda digest: f"{digest}  acme-1.0.jar\n",
    lambda digest: f"{digest} *acme-1.0.jar\n",
    lambda digest: f"SHA1(acme-1.0.jar)= {digest}\n",
    lambda digest: f"SHA256 (acme (copy).jar) = {digest}\n",
    lambda digest: f"acme-1.0.jar: {digest}",
    lambda digest: f"MD5 ({'0' * len(digest)}.jar) = {digest}",
]


@pytest.mark.parametrize("spell", SPELLINGS)
@given(body=st.binary(max_size=20), algorithm=st.sampled_from(Algorithm))
def test_every_spelling_states_the_digest(
    spell: Callable[[str], str], body: bytes, algorithm: Algorithm
) -> None:
    digest = hashlib.new(algorithm, body).hexdigest()
    assert parse_sidecar(spell(digest).encode(), algorithm) == digest


@pytest.mark.parametrize("missing", range(8))
def test_stripped_leading_zeros_come_back(missing: int) -> None:
    digest = "0" * missing + "f" * (40 - missing)
    assert parse_sidecar(digest.lstrip("0").encode() + b"\n", Algorithm.SHA1) == digest


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"f" * 31,
        b"f" * 41,
        b"f" * 39 + b"  acme.jar",
        b"not found",
        MD5.encode(),
        f"<html><body>{SHA1}</body></html>".encode(),
        f"z{SHA1}".encode(),
        b"\xff" * 40,
    ],
)
def test_anything_else_states_nothing(text: bytes) -> None:
    assert parse_sidecar(text, Algorithm.SHA1) is None


@given(st.binary(), st.sampled_from(Algorithm))
def test_any_bytes_are_read_without_an_error(text: bytes, algorithm: Algorithm) -> None:
    digest = parse_sidecar(text, algorithm)
    assert digest is None or len(digest) == algorithm.hex_length


@pytest.mark.parametrize(
    ("etag", "claims"),
    [
        (f"{{SHA1{{{SHA1}}}}}", {Algorithm.SHA1: SHA1}),
        (f'"{{SHA1{{{SHA1.upper()}}}}}"', {Algorithm.SHA1: SHA1}),
        (f'"sha256:{SHA256}"', {Algorithm.SHA256: SHA256}),
        (f'W/"sha256:{SHA256}"', {}),
        (f'W/"{{SHA1{{{SHA1}}}}}"', {}),
        (f'"{MD5}"', {}),
        (f'"{MD5}-5"', {}),
        (f'"{SHA1}"', {}),
        (f'"{SHA256}"', {}),
        (f'"sha256:{SHA1}"', {}),
        ("", {}),
    ],
)
def test_only_a_strong_etag_that_names_its_algorithm_claims(
    etag: str, claims: dict[Algorithm, str]
) -> None:
    assert etag_claims(etag) == claims


def test_checksum_headers_claim_and_the_plain_one_wins() -> None:
    headers = {
        "x-checksum-sha1": SHA1.upper(),
        "x-amz-meta-checksum-sha1": "1" * 40,
        "x-goog-meta-checksum-md5": MD5,
        "x-amz-meta-checksum-sha256": f" {SHA256} ",
        "x-checksum-sha512": "short",
        "etag": f'"{MD5}"',
    }
    assert header_claims(headers) == {
        Algorithm.SHA1: SHA1,
        Algorithm.MD5: MD5,
        Algorithm.SHA256: SHA256,
    }


def test_a_malformed_header_does_not_hide_a_good_one() -> None:
    headers = {"x-checksum-md5": "x" * 32, "x-goog-meta-checksum-md5": MD5}
    assert header_claims(headers) == {Algorithm.MD5: MD5}
