"""What no server of these tests may show: every secret that is made for them, and whatever looks
like a token. All servers' files are searched, and what they answer and show of themselves while
they run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.needles import Needles

SECRETS = Needles()
"""Of this run. Tests make theirs with ``make``, and ``told`` are those that others made."""

LONGEST = 4 * 1024 * 1024
"""Of a longer file the beginning is searched: those are bodies of upstreams, up to gigabytes."""

_TOKENS = {
    "the text of a token": re.compile(rb"vr[pgdj]_[A-Za-z0-9]{43}"),
    "a presigned link": re.compile(rb"X-Amz-Signature=[0-9a-f]{16}"),
    "a JSON Web Token": re.compile(rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"),
}
DATABASE = "the password of the database"
_GIVEN = frozenset({"AWS_SECRET_ACCESS_KEY", "VIRTREG_SECRET_KEYS"})
_folders: set[Path] = set()


def told_environment(environ: Mapping[str, str]) -> None:
    """What a server is given in its environment, and is to show nowhere else."""
    for name in _GIVEN & environ.keys():
        SECRETS.told(name, environ[name])


def found(where: str, content: bytes) -> list[str]:
    """Where a secret is in something that was answered."""
    return SECRETS.found(where, content) + _tokens(where, content)


def watch(folder: Path) -> None:
    """Have a server's folder searched at the end of the run, if it is still there."""
    _folders.add(folder)


def found_below(folder: Path) -> list[str]:
    """Where a secret is in the files of a server: its configuration, what it says, what it keeps.
    Passwords that a test put beside them for the server to read are where they belong."""
    spared = list(folder.glob("password*"))
    hits = SECRETS.found_below(folder, spared, LONGEST)
    for path in set(folder.rglob("*")) - set(spared):
        if path.is_file():
            with path.open("rb") as file:
                hits += _tokens(str(path), file.read(LONGEST))
    return hits


def found_in_all() -> list[str]:
    """As :func:`found_below`, of all servers that were watched."""
    return [hit for folder in _folders if folder.exists() for hit in found_below(folder)]


def found_in_processes(pids: Iterable[int]) -> list[str]:
    """Where a secret is in what the system shows of running processes: their command lines, and
    their environment, but for those that are given there."""
    hits: list[str] = []
    for pid in pids:
        for name in ("cmdline", "environ"):
            path = Path(f"/proc/{pid}/{name}")
            try:
                shown = path.read_bytes()
            except FileNotFoundError:  # it has ended
                continue
            hits += [
                hit
                for hit in found(str(path), shown)
                if name == "cmdline" or hit.rpartition(": ")[2] not in {*_GIVEN, DATABASE}
            ]
    return hits


def _tokens(where: str, content: bytes) -> list[str]:
    return [f"{where}: {what}" for what, shape in _TOKENS.items() if shape.search(content)]
