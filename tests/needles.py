"""Marked secrets, and every spelling of them that could be found where none belongs."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from attrs import define, field


@define
class Needles:
    """What must not be found. ``made`` ones and those that were ``told``, by what they are."""

    known: dict[str, str] = field(factory=dict)

    def make(self, what: str) -> str:
        """A new secret."""
        return self.told(what, f"m/{secrets.token_hex(20)}+k")

    def told(self, what: str, secret: str) -> str:
        """A secret that somebody else made."""
        self.known[what] = secret
        return secret

    def found(self, where: str, content: bytes) -> list[str]:
        """``where: what`` of every secret that is in the content, in whatever spelling."""
        return [
            f"{where}: {what}"
            for what, secret in self.known.items()
            if any(spelling in content for spelling in spellings(secret))
        ]

    def found_below(self, folder: Path, spared: Iterable[Path] = ()) -> list[str]:
        """As ``found``, in all files of a folder but those spared."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        left = set(files) - set(spared)
        return [hit for path in left for hit in self.found(str(path), path.read_bytes())]


def spellings(secret: str) -> Iterator[bytes]:
    """As it is, percent-encoded, in hex, and in base64, whatever stands before and after it."""
    content = secret.encode()
    yield content
    yield quote(secret, safe="").encode()
    yield content.hex().encode()
    for before in range(3):
        # What no neighbour has a part in: whole groups of three bytes.
        inner = content[(3 - before) % 3 :]
        inner = inner[: len(inner) // 3 * 3]
        yield base64.b64encode(inner)
        yield base64.urlsafe_b64encode(inner)


def command_lines() -> bytes:
    """What a list of processes shows of all that run."""
    shown: list[bytes] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            shown.append(path.read_bytes())
        except OSError:  # it has ended
            continue
    assert shown
    return b"\n".join(shown)
