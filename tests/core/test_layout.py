"""Blob keys and digests are two spellings of the same thing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from virtreg.core.layout import BLOBS, NOTES, blob_key, is_note, sha256_of

DIGEST = "0f" * 32
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(DIGESTS)
def test_a_digest_survives_the_trip_through_its_key(digest: str) -> None:
    key = blob_key(digest)
    assert sha256_of(key) == digest
    assert key == f"{BLOBS}{digest[:2]}/{digest}"


@given(st.text(max_size=80) | DIGESTS.map(lambda digest: BLOBS + digest))
@example(f"{BLOBS}0f/{DIGEST}\n")
@example(f"/{BLOBS}0f/{DIGEST}")
@example(f"{BLOBS}0f/{DIGEST}/")
@example(f"{BLOBS}../0f/{DIGEST}")
@example(f"{BLOBS}00/{DIGEST}")
@example(f"{BLOBS}0F/{DIGEST.upper()}")
@example(f"{BLOBS}0f//{DIGEST}")
@example(f"blobs\\sha256\\0f\\{DIGEST}")
@example("")
def test_only_keys_made_from_a_digest_are_read_back(text: str) -> None:
    digest = sha256_of(text)
    assert digest is None or blob_key(digest) == text


@pytest.mark.parametrize(
    "text",
    ["", DIGEST[:-1], DIGEST + "0", DIGEST.upper(), DIGEST + "\n", "../" + DIGEST, "٠" * 64],
)
def test_what_is_not_a_digest_gets_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="not a lower-case hex sha256"):
        blob_key(text)


@given(st.from_regex(r"[0-9a-z][0-9a-z.\-]{0,127}", fullmatch=True))
def test_a_note_is_one_name_below_its_folder(name: str) -> None:
    assert is_note(NOTES + name)
    assert not is_note(name)
    assert sha256_of(NOTES + name) is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "A", "a\n", ".hidden", "-a", "é", "a" * 129]
)
def test_no_other_name_is_a_note(name: str) -> None:
    assert not is_note(NOTES + name)
