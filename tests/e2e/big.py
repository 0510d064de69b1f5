"""Big artifacts, cheap to make and different in every piece."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from attrs import frozen

MIB = 1024 * 1024

MAGIC = b"PK\x03\x04"
"""What a jar begins with."""


@frozen
class Artifact:
    """A published file; ``path`` is below a repository's URL."""

    path: str
    size: int
    sha256: str


def publish(root: Path, name: str, size: int) -> Artifact:
    """Write ``size`` random bytes as version 1.0 of an artifact, with a ``.sha1`` beside them."""
    target = _target(root, name)
    target.write_bytes(MAGIC + random.Random(name).randbytes(size - len(MAGIC)))
    return _published(root, target)


def publish_sparse(root: Path, name: str, size: int) -> Artifact:
    """The same for sizes that are no fun to write: zeros, with a mark every 64 MiB."""
    target = _target(root, name)
    with target.open("wb") as file:
        file.truncate(size)
        for offset in range(0, size, 64 * MIB):
            file.seek(offset)
            file.write(MAGIC + offset.to_bytes(8, "big"))
    return _published(root, target)


def _target(root: Path, name: str) -> Path:
    target = root / "com/example/big" / name / "1.0" / f"{name}-1.0.jar"
    target.parent.mkdir(parents=True)
    return target


def _published(root: Path, target: Path) -> Artifact:
    with target.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with target.open("rb") as file:
        sha1 = hashlib.file_digest(file, "sha1").hexdigest()
    target.with_name(f"{target.name}.sha1").write_text(sha1)
    return Artifact(target.relative_to(root).as_posix(), target.stat().st_size, sha256)
