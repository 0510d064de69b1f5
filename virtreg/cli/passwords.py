"""Passwords of upstreams, which are no arguments: those stand in every list of processes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_MOST_BYTES = 4096

password_file = click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="What holds the password; - is standard input. Without it, it is asked for.",
)


def password_for(name: str, file: Path | None) -> str:
    """Of the upstream ``name``: from the file, else asked for, else from standard input. Raises
    ClickException, quoting nothing."""
    if file is None and sys.stdin.isatty():
        typed: str = click.prompt(f"Password for {name}", hide_input=True, err=True)
        return typed
    with click.open_file("-" if file is None else str(file), "rb") as opened:
        content: bytes = opened.read(_MOST_BYTES)
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.ClickException("the password is not UTF-8 text") from None
    if not text:
        raise click.ClickException("the password is empty")
    return text
