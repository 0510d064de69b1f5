"""Which server a command beside it is about: by its configuration file, or by its data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from virtreg.cli.usable import Unusable, usable

if TYPE_CHECKING:
    from virtreg.config import Config

Command = TypeVar("Command", bound=Callable[..., Any])

_file = click.option(
    "--config",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The server's configuration file, which says where its data is.",
)
_folder = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The server's data folder.",
)


def server_options(command: Command) -> Command:
    """Give a command the options ``file`` and ``data``."""
    return _file(_folder(command))


def configuration(file: Path | None, data: Path | None) -> Config:
    """Of the server that is meant, without secrets but the URL of its database. Raises UsageError
    and Unusable."""
    if file is None and data is None:
        raise click.UsageError("say which server is meant: --config FILE or --data FOLDER")
    from virtreg.cli.launch import Launch

    # Beside a server, the secrets of its upstreams need not be.
    config = usable(partial(Launch(file=file, data=data).config, secrets=False, database=True))
    need_no_folder(config, file, data)
    return config


def need_no_folder(config: Config, file: Path | None, data: Path | None) -> None:
    """Raise UsageError where a folder is named that holds nothing of what is asked for."""
    if data is not None and config.storage.database is not None:
        raise click.UsageError(
            f"--data: what {file} configures is kept in its database, not in a folder; say --config"
            " alone"
        )


@contextmanager
def told() -> Iterator[None]:
    """Errors of the library as click's."""
    from virtreg.errors import ConfigError, InvalidRequest, VirtregError

    try:
        yield
    except ConfigError as error:
        raise Unusable(error.message) from None
    except InvalidRequest as error:
        raise click.UsageError(error.message) from None
    except VirtregError as error:
        raise click.ClickException(str(error)) from None
