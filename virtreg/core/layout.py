"""The names of blobs in a cache store: made from a digest, never from anything a client sent."""

from __future__ import annotations

import re

BLOBS = "blobs/sha256/"
"""Prefix of every blob's key."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(re.escape(BLOBS) + r"([0-9a-f]{2})/(\1[0-9a-f]{62})")


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
