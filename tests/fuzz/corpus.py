"""What the targets begin with: handwritten examples, and what fuzzing found worth keeping."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

_FOLDER = Path(__file__).parent / "corpus"


def load(target: str) -> list[bytes]:
    """The inputs of one target."""
    return [text.encode("latin-1") for text in json.loads(_file(target).read_text())]


def save(target: str, inputs: Iterable[bytes]) -> None:
    """Replace them; bytes are written as the characters of Latin-1."""
    texts = sorted(
        {content.decode("latin-1") for content in inputs}, key=lambda one: (len(one), one)
    )
    _file(target).write_text(json.dumps(texts, indent=1) + "\n")


def _file(target: str) -> Path:
    return _FOLDER / f"{target}.json"
