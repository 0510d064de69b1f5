"""Secrets are named in a configuration, never written in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from virtreg.model import Secret

MAX_BYTES = 16 * 1024
_HOW = 'write "env:NAME" for an environment variable or "file:/path" for a file'


def read(reference: str, environ: Mapping[str, str] | None, folder: Path) -> Secret:
    """The secret behind ``env:NAME`` or ``file:PATH`` (relative to ``folder``); without an
    ``environ`` nothing is looked up, and it is empty.

    One line break at the end of a file does not count. Raises ValueError with the reason, worded
    to follow the name of the key and never showing the text.
    """
    kind, colon, where = reference.partition(":")
    if not colon or kind not in {"env", "file"} or not where:
        raise ValueError(f"must not stand in the file as plain text; {_HOW}")
    if environ is None:
        return Secret("")
    text = _from_environment(where, environ) if kind == "env" else _from_file(folder / where)
    if not text:
        raise ValueError(f"{_named(kind, where)} is empty")
    # Anything else could end a header field and begin another (RFC 9110, 5.5).
    if not text.isprintable():
        raise ValueError(f"{_named(kind, where)} holds a control character or a line break")
    return Secret(text)


def _from_environment(variable: str, environ: Mapping[str, str]) -> str:
    if variable not in environ:
        raise ValueError(f"environment variable {variable} is not set")
    return environ[variable]


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read file {path}: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"file {path} is longer than {MAX_BYTES} bytes")
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"file {path} is not UTF-8 text") from None


def _named(kind: str, where: str) -> str:
    return f"environment variable {where}" if kind == "env" else f"file {where}"
