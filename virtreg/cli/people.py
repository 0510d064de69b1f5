"""The directory of a server, as commands have it open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from virtreg.cli.meant import configuration, server_options, told
from virtreg.protocols import Directory

if TYPE_CHECKING:
    from virtreg.config import Config


def on_directory(
    command: Callable[..., None] | None = None, *, new: bool = False
) -> Callable[..., Any]:
    """Give a command the options that say which directory is meant, and the directory as its first
    argument. ``new``: it is made where there is none."""
    if command is None:
        return partial(on_directory, new=new)

    @server_options
    @wraps(command)
    def run(file: Path | None, data: Path | None, **others: Any) -> None:
        config = configuration(file, data)
        with told(), _opened(config, new=new) as directory:
            command(directory, **others)

    return run


@contextmanager
def _opened(config: Config, *, new: bool) -> Iterator[Directory]:
    from virtreg.backends.directory import FILE, open_directory
    from virtreg.storage import open_place

    folder = config.storage.path
    # A mistyped folder is no new server.
    if config.storage.database is None and not new and not (folder / FILE).is_file():
        raise click.ClickException(
            f"there is no {FILE} in {folder}; virtreg user add and virtreg group add make it"
        )
    with open_place(config) as place, closing(open_directory(place)) as directory:
        yield directory
