"""Digests of bodies."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Algorithm(enum.StrEnum):
    """A digest algorithm; the value is its name in :mod:`hashlib` and in file suffixes."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"
    SHA512 = "sha512"

    @property
    def hex_length(self) -> int:
        return _HEX_LENGTHS[self]


_HEX_LENGTHS = {
    Algorithm.SHA256: 64,
    Algorithm.SHA1: 40,
    Algorithm.MD5: 32,
    Algorithm.SHA512: 128,
}

Digests = Mapping[Algorithm, str]
"""Known digests of one body; any subset of the algorithms."""
