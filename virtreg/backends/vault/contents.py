"""The file of secrets: JSON, in which the values alone are sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

_VERSION = 1


@frozen
class Row:
    """One secret as the file has it."""

    sealed: str
    upstream: str | None
    set_at: float


def printed(rows: Mapping[str, Row]) -> bytes:
    """The file, by name."""
    secrets = {
        name: {"upstream": row.upstream, "set_at": row.set_at, "sealed": row.sealed}
        for name, row in sorted(rows.items())
    }
    return (json.dumps({"version": _VERSION, "secrets": secrets}, indent=2) + "\n").encode()


def parse(content: bytes) -> dict[str, Row]:
    """Raises ValueError, worded to follow the name of the file and quoting none of it."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    secrets = found.get("secrets") if isinstance(found, dict) else None
    if not isinstance(secrets, dict):
        raise ValueError('is not a file of secrets: it has no "secrets"')
    if found.get("version") != _VERSION:
        raise ValueError("is of another version of virtreg")
    return {name: _row(name, row) for name, row in secrets.items()}


def _row(name: str, row: Any) -> Row:
    match row:
        case {"sealed": str(sealed), "upstream": str() | None as upstream, "set_at": set_at} if (
            isinstance(set_at, int | float)
        ):
            return Row(sealed, upstream, float(set_at))
    raise ValueError(f"secret {name!r} is damaged")
