"""``virtreg keys``: what the tokens of image clients are signed with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from virtreg.cli.listing import Cell, as_json, show, utc
from virtreg.cli.meant import configuration, server_options, told

if TYPE_CHECKING:
    from virtreg.backends.auth.grants import KeyShelf
    from virtreg.config import Config

_COLUMNS = ("number", "state", "created_at", "until", "kid")


@click.group()
def keys() -> None:
    """What the tokens of image clients are signed with."""


def _on_shelf(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which server is meant, and where its keys are as its
    first argument."""

    @server_options
    @wraps(command)
    def run(file: Path | None, data: Path | None, **others: Any) -> None:
        config = configuration(file, data)
        with told(), _opened(config) as shelf:
            command(shelf, **others)

    return run


@keys.command("list")
@as_json
@_on_shelf
def list_(shelf: KeyShelf, as_json: bool) -> None:
    """Numbers and times of the keys; never a key."""
    from virtreg.backends.auth.grants import Keys

    rows: list[dict[str, Cell]] = [
        {
            "number": key.number,
            "state": "signs" if until is None else "verifies",
            "created_at": utc(key.created_at),
            "until": utc(until),
            "kid": key.kid,
        }
        for key, until in Keys(shelf).verifying().items()
    ]
    show(_COLUMNS, rows, as_json=as_json)


@keys.command()
@_on_shelf
def rotate(shelf: KeyShelf) -> None:
    """Make a new key, which signs from now on.

    Tokens that older keys signed go on being good until they end.
    """
    from virtreg.backends.auth.grants import Keys

    made = Keys(shelf).rotate()
    _audit(made.number, "set")
    click.echo(
        f"key {made.number} signs from now on; servers that run see it within a second", err=True
    )


@keys.command()
@click.argument("number", type=click.IntRange(1, 999_999))
@_on_shelf
def remove(shelf: KeyShelf, number: int) -> None:
    """Remove the key NUMBER, which somebody may have seen, or which cannot be used.

    Every token it signed is refused from then on. When it is the newest, another one is made first.
    """
    from virtreg.backends.auth.grants import Keys
    from virtreg.errors import ConfigError

    try:
        found = Keys(shelf)
    except ConfigError as error:
        if not shelf.remove(number):
            raise
        _audit(number, "removed")
        click.echo(f"key {number} is removed, though the keys cannot be used: {error}", err=True)
        return
    newest = found.verifying()
    signs = found.remove(number)
    _audit(number, "removed")
    if signs not in newest:
        _audit(signs.number, "set")
    click.echo(
        f"key {number} is removed, key {signs.number} signs; "
        "servers that run see it within a second",
        err=True,
    )


@contextmanager
def _opened(config: Config) -> Iterator[KeyShelf]:
    from virtreg.access import KEYS, open_signing_keys
    from virtreg.backends.vault import MasterKeys
    from virtreg.storage import open_place

    folder = config.storage.path / KEYS
    # A mistyped folder is no new server.
    if config.storage.database is None and not folder.is_dir():
        raise click.ClickException(
            f"there is no folder {folder}; a server with restricted registries of images makes it"
        )
    shared = config.storage.database is not None
    keys = MasterKeys.found(os.environ, config.folder or config.storage.path, shared=shared)
    with open_place(config) as place, open_signing_keys(place, keys) as shelf:
        yield shelf


def _audit(number: int, change: Literal["set", "removed"]) -> None:
    from virtreg.cli.auditing import audit
    from virtreg.events import SecretChanged

    audit(SecretChanged(secret=f"signing key {number}", change=change))
