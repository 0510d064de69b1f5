"""The names of what is in a cache store: blobs, by their digest, and notes beside them. Never made
from anything a client sent."""

from __future__ import annotations

import re

BLOBS = "blobs/sha256/"
"""Prefix of every blob's key."""

NOTES = "journal/"
"""Prefix of every note's name."""

LONGEST_NOTE = 256 * 1024 * 1024
"""Bytes. What is longer was not written by us, and is not read into memory."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(re.escape(BLOBS) + r"([0-9a-f]{2})/(\1[0-9a-f]{62})")

_NOTE = re.compile(re.escape(NOTES) + r"[0-9a-z][0-9a-z.-]{0,127}")


def blob_key(sha256: str) -> str:
    """The key of the blob with this digest: ``blobs/sha256/<first two>/<all 64>``.

    Raises ValueError for anything but 64 lower-case hex digits.
    """
    if _DIGEST.fullmatch(sha256) is None:
        raise ValueError(f"not a lower-case hex sha256: {sha256!r}")
    return f"{BLOBS}{sha256[:2]}/{sha256}"


def sha256_of(key: str) -> str | None:
    """The digest a key stands for, or None when :func:`blob_key` cannot have made it."""
    match = _KEY.fullmatch(key)
    return None if match is None else match[2]


def is_note(name: str) -> bool:
    """Whether a note can have this name: ``journal/``, then up to 128 lower-case letters, digits,
    dots and dashes, a letter or a digit first."""
    return _NOTE.fullmatch(name) is not None
