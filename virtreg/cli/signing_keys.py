"""``virtreg keys``: what the tokens of image clients are signed with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from virtreg.cli.listing import Cell, as_json, show, utc
from virtreg.cli.usable import Unusable, usable

if TYPE_CHECKING:
    from virtreg.backends.auth.grants import Keys

_COLUMNS = ("number", "state", "created_at", "until", "kid")


@click.group()
def keys() -> None:
    """What the tokens of image clients are signed with."""


def _on_keys(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which server is meant, and its keys as its first
    argument."""

    @click.option(
        "--config",
        "file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The server's configuration file, which says where its data is.",
    )
    @click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="The server's data folder.",
    )
    @wraps(command)
    def run(file: Path | None, data: Path | None, **others: Any) -> None:
        with _opened(file, data) as found:
            command(found, **others)

    return run


@keys.command("list")
@as_json
@_on_keys
def list_(found: Keys, as_json: bool) -> None:
    """Numbers and times of the keys; never a key."""
    rows: list[dict[str, Cell]] = [
        {
            "number": key.number,
            "state": "signs" if until is None else "verifies",
            "created_at": utc(key.created_at),
            "until": utc(until),
            "kid": key.kid,
        }
        for key, until in found.verifying().items()
    ]
    show(_COLUMNS, rows, as_json=as_json)


@keys.command()
@_on_keys
def rotate(found: Keys) -> None:
    """Make a new key, which signs from now on.

    Tokens that older keys signed go on being good until they end.
    """
    made = found.rotate()
    _audit(made.number, "set")
    click.echo(
        f"key {made.number} signs from now on; servers that run see it within a second", err=True
    )


@keys.command()
@click.argument("number", type=click.IntRange(1, 999_999))
@_on_keys
def remove(found: Keys, number: int) -> None:
    """Remove the key NUMBER, which somebody may have seen.

    Every token it signed is refused from then on. When it is the newest, another one is made first.
    """
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
def _opened(file: Path | None, data: Path | None) -> Iterator[Keys]:
    from virtreg.access import KEYS
    from virtreg.backends.auth.grants import Keys
    from virtreg.errors import ConfigError, VirtregError

    folder = _folder(file, data) / KEYS
    # A mistyped folder is no new server.
    if not folder.is_dir():
        raise click.ClickException(
            f"there is no folder {folder}; a server with restricted registries of images makes it"
        )
    try:
        yield Keys(folder)
    except ConfigError as error:
        raise Unusable(error.message) from None
    except VirtregError as error:
        raise click.ClickException(error.message) from None


def _folder(file: Path | None, data: Path | None) -> Path:
    if data is not None:
        return data.absolute()
    if file is None:
        raise click.UsageError("say which server is meant: --config FILE or --data FOLDER")
    from virtreg.cli.launch import Launch

    return usable(partial(Launch(file=file).config, secrets=False)).storage.path


def _audit(number: int, change: Literal["set", "removed"]) -> None:
    from virtreg.cli.auditing import audit
    from virtreg.events import SecretChanged

    audit(SecretChanged(secret=f"signing key {number}", change=change))
