"""Which server commands are about, and its API as they have it open."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from virtreg.cli.api import Client
from virtreg.cli.meant import need_no_folder
from virtreg.cli.usable import Unusable, usable

if TYPE_CHECKING:
    from virtreg.cli.local import Local
    from virtreg.cli.remote import Remote
    from virtreg.model import Secret

TOKEN: Final = "VIRTREG_TOKEN"  # noqa: S105 - where it is
_MOST_BYTES: Final = 4096
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)

config_option = click.option(
    "--config",
    "file",
    metavar="FILE",
    type=FILE,
    help="The server's configuration file, on the machine where its data is.",
)
data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The server's data folder.",
)
server_option = click.option(
    "--server",
    metavar="URL",
    envvar="VIRTREG_SERVER",
    help="A server that runs elsewhere; by default VIRTREG_SERVER of the environment.",
)
token_option = click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="What holds the token for --server, instead of VIRTREG_TOKEN; - is standard input.",
)


def on_api(
    command: Callable[..., None] | None = None, *, asking: bool = False
) -> Callable[..., Any]:
    """Give a command the options that say which server is meant, and a Client as its first
    argument. ``asking``: upstreams are asked, so that their secrets in the file are needed."""
    if command is None:
        return partial(on_api, asking=asking)

    @config_option
    @data_option
    @server_option
    @token_option
    @wraps(command)
    def run(
        file: Path | None,
        data: Path | None,
        server: str | None,
        token_file: Path | None,
        **others: Any,
    ) -> None:
        with reached(file, data, server, token_file, asking=asking) as client:
            command(client, **others)

    return run


@contextmanager
def reached(
    file: Path | None,
    data: Path | None,
    server: str | None,
    token_file: Path | None,
    *,
    asking: bool = False,
) -> Iterator[Client]:
    """The API that the options say: of a folder here, else of a server elsewhere."""
    if file is None and data is None:
        yield Client(_remote(server, token_file))
        return
    if token_file is not None or (
        server is not None and server != os.environ.get("VIRTREG_SERVER")
    ):
        raise click.UsageError("--server and --token-file do not go with --config and --data")
    with local(file, data, asking=asking) as door:
        yield Client(door)


@contextmanager
def local(
    file: Path | None,
    data: Path | None,
    *,
    asking: bool = False,
    new: bool = False,
    option: str = "--config FILE",
) -> Iterator[Local]:
    """The data folder that the options say. ``new``: it is made where there is none, and nothing in
    it is declared. ``option``: how the command is told the file."""
    if file is None and data is None:
        raise click.UsageError(f"say which server is meant: {option} or --data FOLDER")
    from virtreg.cli.launch import Launch
    from virtreg.cli.local import opened
    from virtreg.errors import ConfigError, VirtregError

    launch = Launch(file=file, data=data)
    config = usable(partial(launch.config, secrets=asking, database=True))
    need_no_folder(config, file, data)
    try:
        with opened(config, new=new) as door:
            yield door
    except ConfigError as error:
        raise Unusable(error.message) from None
    except VirtregError as error:
        raise click.ClickException(str(error)) from None


def _remote(server: str | None, token_file: Path | None) -> Remote:
    from virtreg.cli.remote import Remote

    if server is None:
        raise click.UsageError(
            "say which server is meant: --config FILE or --data FOLDER where its data is,"
            " --server URL elsewhere"
        )
    try:
        remote = Remote.at(server, _token(token_file))
    except ValueError as error:
        said = str(error)
        of = "" if said.startswith("the token") else "--server: "
        raise click.UsageError(f"{of}{said}") from None
    if remote.unprotected:
        click.echo(f"warning: the token goes unencrypted to {remote.url.host}", err=True)
    return remote


def _token(file: Path | None) -> Secret:
    """An argument would stand in every list of processes."""
    from virtreg.model import Secret

    if file is not None:
        with click.open_file(str(file), "rb") as opened:
            text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
    elif TOKEN in os.environ:
        text = os.environ[TOKEN]
    elif sys.stdin.isatty():
        text = click.prompt("Token", hide_input=True, err=True)
    else:
        raise click.UsageError(f"a token is needed: {TOKEN} or --token-file FILE")
    return Secret(text.strip())
