"""What must hold for a data folder at any time, even after a power cut."""

from __future__ import annotations

import hashlib
from pathlib import Path


def unsound_blobs(data: Path) -> list[Path]:
    """Published blobs whose bytes are not what their name says."""
    blobs = data / "blobs" / "sha256"
    return [path for path in blobs.rglob("*") if path.is_file() and _digest(path) != path.name]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
