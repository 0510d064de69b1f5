"""Marked secrets, and every spelling of them that could be found where none belongs."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus

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

    def found_below(
        self, folder: Path, spared: Iterable[Path] = (), longest: int = -1
    ) -> list[str]:
        """As ``found``, in all files of a folder but those spared; of each no more than the
        ``longest`` bytes that it begins with."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        hits: list[str] = []
        for path in set(files) - set(spared):
            with path.open("rb") as file:
                hits += self.found(str(path), file.read(longest))
        return hits


@cache
def spellings(secret: str) -> frozenset[bytes]:
    """As it is, percent-encoded, as in forms, as JSON escapes it, in hex, and in base64, whatever
    stands before and after it."""
    content = secret.encode()
    written = json.dumps(secret)[1:-1]
    found = {content, written.encode(), written.replace("/", "\\/").encode()}
    for escaped in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        lower = re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), escaped)
        found |= {escaped.encode(), lower.encode()}
    found |= {content.hex().encode(), content.hex().upper().encode()}
    for before in range(3):
        # What no neighbour has a part in: whole groups of three bytes.
        inner = content[(3 - before) % 3 :]
        inner = inner[: len(inner) // 3 * 3]
        found |= {base64.b64encode(inner), base64.urlsafe_b64encode(inner)}
    return frozenset(found)


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
