"""The directory of a server, as commands have it open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from virtreg.cli.usable import Unusable, usable
from virtreg.protocols import Directory

_config = click.option(
    "--config",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The server's configuration file, which says where its data is.",
)
_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The server's data folder.",
)


def on_directory(
    command: Callable[..., None] | None = None, *, new: bool = False
) -> Callable[..., Any]:
    """Give a command the options that say which directory is meant, and the directory as its first
    argument. ``new``: it is made where there is none."""
    if command is None:
        return partial(on_directory, new=new)

    @_config
    @_data
    @wraps(command)
    def run(file: Path | None, data: Path | None, **others: Any) -> None:
        with _opened(file, data, new=new) as directory:
            command(directory, **others)

    return run


@contextmanager
def _opened(file: Path | None, data: Path | None, *, new: bool) -> Iterator[Directory]:
    folder = _folder(file, data)
    from virtreg.backends.directory import FILE, open_directory
    from virtreg.errors import ConfigError, InvalidRequest, VirtregError

    # A mistyped folder is no new server.
    if not new and not (folder / FILE).is_file():
        raise click.ClickException(
            f"there is no {FILE} in {folder}; virtreg user add and virtreg group add make it"
        )
    try:
        with closing(open_directory(folder)) as directory:
            yield directory
    except ConfigError as error:
        raise Unusable(error.message) from None
    except InvalidRequest as error:
        raise click.UsageError(error.message) from None
    except VirtregError as error:
        raise click.ClickException(error.message) from None


def _folder(file: Path | None, data: Path | None) -> Path:
    if data is not None:
        return data.absolute()
    if file is None:
        raise click.UsageError("say which server is meant: --config FILE or --data FOLDER")
    from virtreg.cli.launch import Launch

    # Where people are managed, the secrets of upstreams need not be.
    return usable(partial(Launch(file=file).config, secrets=False)).storage.path
