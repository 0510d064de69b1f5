"""Outside JSON documents, read within bounds."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from virtreg.errors import IntegrityError

MAX_MANIFEST_BYTES = 8 * 1024**2
"""Twice what every registry must take (OCI distribution-spec 1.1.1, "Pushing Manifests")."""
MAX_LIST_BYTES = 32 * 1024**2
MAX_DEPTH = 64
"""Objects and arrays within each other; an image index needs five."""
MAX_VALUES = 1_000_000
"""In one document: two bytes of it may become a hundred in memory."""

# A string that does not end is one all the same, or each quote in it would be tried anew.
_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|([\[{])|([\]}])', re.DOTALL)


def read(document: bytes, limit: int) -> dict[str, Any]:
    """The document's object (RFC 8259). Raises IntegrityError, saying why, for anything else."""
    if len(document) > limit:
        raise IntegrityError(f"the document has {len(document)} bytes; at most {limit} are read")
    try:
        text = document.decode()
        # Before anything is made of it: one that is refused afterwards has cost its memory.
        _check_size(text)
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except ValueError as error:
        raise IntegrityError(f"the document is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise IntegrityError("the document is no JSON object")
    return found


def write(members: dict[str, Any]) -> bytes:
    """Compact JSON with the members in the order given, so that equal content is equal bytes."""
    return json.dumps(members, separators=(",", ":")).encode()


def _check_size(text: str) -> None:
    """Each value follows a bracket or a comma; those in strings count too, and are few."""
    brackets = text.count("[") + text.count("{")
    if brackets + text.count(",") > MAX_VALUES:
        raise IntegrityError(f"the document's JSON has more than {MAX_VALUES} values")
    if brackets <= MAX_DEPTH:
        return  # As in lists of tags, the longest documents there are.
    depth = 0
    for token in _BRACKET.finditer(text):
        if token[1]:
            depth += 1
            if depth > MAX_DEPTH:
                raise IntegrityError(f"the document's JSON is nested more than {MAX_DEPTH} deep")
        elif token[2]:
            depth -= 1


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _finite(text: str) -> float:
    """Python reads 1e999 as infinity, and would write that as no JSON at all."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
