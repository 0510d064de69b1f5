"""Outside JSON documents, read within bounds."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from virtreg.errors import IntegrityError

MAX_MANIFEST_BYTES = 8 * 1024**2
"""Twice what every registry must take (OCI distribution-spec 1.1.1, "Pushing Manifests")."""
MAX_LIST_BYTES = 32 * 1024**2
MAX_DEPTH = 64
"""Objects and arrays within each other; an image index needs five."""

_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|([\[{])|([\]}])', re.DOTALL)


def read(document: bytes, limit: int) -> dict[str, Any]:
    """The document's object (RFC 8259). Raises IntegrityError, saying why, for anything else."""
    if len(document) > limit:
        raise IntegrityError(f"the document has {len(document)} bytes; at most {limit} are read")
    try:
        text = document.decode()
        found = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise IntegrityError(f"the document is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise IntegrityError("the document is no JSON object")
    _check_depth(text)
    return found


def write(members: dict[str, Any]) -> bytes:
    """Compact JSON with the members in the order given, so that equal content is equal bytes."""
    return json.dumps(members, separators=(",", ":")).encode()


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # As in lists of tags, the longest documents there are.
    depth = 0
    for token in _BRACKET.finditer(text):
        if token[1]:
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep()
        elif token[2]:
            depth -= 1


def _too_deep() -> IntegrityError:
    return IntegrityError(f"the document's JSON is nested more than {MAX_DEPTH} deep")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
