"""The texts that tokens are: made once, shown once, kept as a digest alone."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from typing import Final

from virtreg.core.identity import TokenKind
from virtreg.model import Secret

_LETTERS: Final = {
    TokenKind.PERSONAL: "p",
    TokenKind.GROUP: "g",
    TokenKind.DEPLOY: "d",
    TokenKind.JOB: "j",
}
_KINDS: Final = {letter: kind for kind, letter in _LETTERS.items()}
_ALPHABET: Final = string.ascii_letters + string.digits
# 62 ** 43 is just above 2 ** 256: more digits would not make the digest harder to guess.
_LENGTH: Final = 43
_GRAMMAR: Final = re.compile(rf"vr([{''.join(_KINDS)}])_[A-Za-z0-9]{{{_LENGTH}}}")


def new_secret(kind: TokenKind) -> Secret:
    """``vr``, a letter for the kind, ``_`` and 43 characters of base62 that nobody can guess."""
    characters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return Secret(f"vr{_LETTERS[kind]}_{characters}")


def kind_of(text: str) -> TokenKind | None:
    """The kind that a token's text tells; None for what cannot be the text of a token."""
    match = _GRAMMAR.fullmatch(text)
    return None if match is None else _KINDS[match[1]]


def digest_of(text: str) -> str:
    """What a directory knows a token by: SHA-256 in hex. The text has 256 bits to guess, so that
    a slow hash would protect nothing. Defined for every text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
