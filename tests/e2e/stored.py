"""What a client holds after a pull, in the shapes that clients let one see."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.e2e import marked
from tests.e2e.images import Image


@frozen
class Stored:
    """An image in the store of a client that unpacks layers and keeps no packed ones."""

    digest: str
    """Of the manifest or index that was pulled."""
    config: str
    diff_ids: tuple[str, ...]
    """Digests of the layers as they were unpacked."""

    @classmethod
    def of(cls, image: Image, *, platform: bool = False) -> Stored:
        """What must be held of an image; with ``platform``, by the manifest of its platform."""
        digest = image.manifests[0].digest if platform else image.digest
        return cls(digest, image.config, image.diff_ids)


def digests_in(folder: Path) -> set[str]:
    """SHA-256 of every file in a folder, of its bytes and not by its name."""
    return {_digest(path) for path in folder.iterdir() if path.is_file()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


class PullFailed(Exception):
    """The client ended with an error; its text is what the client printed."""


def run(
    command: Sequence[str | Path], env: Mapping[str, str], seconds: float = 90, *, typed: str = ""
) -> str:
    """Standard output of a client that ends well, with ``typed`` as its standard input. Raises
    PullFailed, and OSError when there is no such program: install what .ci/run installs. No client
    repeats a secret, its own or what a server told it."""
    done = subprocess.run(
        command, env=dict(env), input=typed, capture_output=True, text=True, timeout=seconds
    )
    said = (done.stdout + done.stderr).encode()
    assert marked.SECRETS.found(f"output of {command[0]}", said) == []
    if done.returncode != 0:
        raise PullFailed(done.stdout + done.stderr)
    return done.stdout


def inspected(command: Sequence[str | Path], env: Mapping[str, str]) -> dict[str, Any]:
    """The first object of the JSON list that a client prints."""
    found: dict[str, Any] = json.loads(run(command, env))[0]
    return found
