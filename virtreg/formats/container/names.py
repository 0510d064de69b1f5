"""Repository names, tags and digests (OCI distribution-spec 1.1.1, "Pulling manifests"; OCI
image-spec 1.1, "Digests")."""

from __future__ import annotations

import re

from virtreg.errors import InvalidRequest, NotFound
from virtreg.model import Algorithm

MAX_NAME_LENGTH = 255
"""Characters; the specification says that many clients allow no more, host included."""

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HEX = re.compile(r"[0-9a-f]+")
_ALGORITHMS = {algorithm.value: algorithm for algorithm in (Algorithm.SHA256, Algorithm.SHA512)}
"""The algorithms that image-spec 1.1 registers; others cannot be proved here."""


class NameInvalid(InvalidRequest):
    """The text is no repository name."""

    code = "name_invalid"


class DigestInvalid(InvalidRequest):
    """The text is no digest, or of an algorithm that is not known here."""

    code = "digest_invalid"


def check_name(text: str) -> str:
    """The repository name itself; raises NameInvalid for any other text."""
    if len(text) > MAX_NAME_LENGTH:
        raise NameInvalid(
            f"the repository name has {len(text)} characters; at most {MAX_NAME_LENGTH} are allowed"
        )
    if _NAME.fullmatch(text) is None:
        raise NameInvalid(
            f"{text!r} is no repository name: components of a-z and 0-9, divided inside by "
            "'.', '_', '__' or '-', are joined by '/'"
        )
    return text


def is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


def check_tag(text: str, path: str) -> str:
    """The tag itself; raises NotFound about ``path`` for any other text, since nothing can have
    that name."""
    if not is_tag(text):
        raise NotFound(f"{text!r} is no tag, so there is no such manifest", path=path)
    return text


def parse_digest(text: str) -> tuple[Algorithm, str]:
    """``sha256:<64 hex>`` or ``sha512:<128 hex>``, lower case; raises DigestInvalid."""
    name, _, encoded = text.partition(":")
    algorithm = _ALGORITHMS.get(name)
    if algorithm is None:
        raise DigestInvalid(f"{text!r} is no digest: it begins with sha256: or sha512:")
    if len(encoded) != algorithm.hex_length or _HEX.fullmatch(encoded) is None:
        raise DigestInvalid(
            f"{text!r} is no digest: {name}: is followed by {algorithm.hex_length} digits "
            "of lower-case hex"
        )
    return algorithm, encoded


def print_digest(digest: tuple[Algorithm, str]) -> str:
    algorithm, encoded = digest
    return f"{algorithm}:{encoded}"
