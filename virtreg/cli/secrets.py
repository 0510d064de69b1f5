"""``virtreg secrets``: what upstreams are asked with, kept sealed in the data folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from virtreg.cli.listing import as_json, show, utc
from virtreg.cli.usable import Unusable

if TYPE_CHECKING:
    from virtreg.backends.vault import Kept, MasterKeys, Sealed, Vault
    from virtreg.config import Config
    from virtreg.model import Secret

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def secrets() -> None:
    """Keep the secrets of upstreams sealed in the data folder."""


def _placed(command: Command) -> Command:
    """The options that say which vault is meant."""
    file = click.option(
        "--config",
        "file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        required=True,
        help="The configuration that names the secrets.",
    )
    data = click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Folder of the cache, if not the one of FILE.",
    )
    return file(data(command))


@secrets.command("set", context_settings={"allow_extra_args": True})
@click.argument("name")
@click.option("--upstream", metavar="NAME", help="The only upstream that it may be used for.")
@_placed
def set_(name: str, upstream: str | None, file: Path, data: Path | None) -> None:
    """Keep a secret as NAME, read from standard input or asked for.

    One that is there already is replaced. A running server takes it when it is started again.
    """
    from virtreg.config import fields

    if click.get_current_context().args:
        # Not repeated: it is the secret, most likely.
        raise click.UsageError(
            "only NAME is said here: an argument can be read by every account of the machine; the"
            " secret is asked for, or read from standard input"
        )
    name = _valid(name, fields.name, "'NAME'")
    with _told():
        config, vault = _opened(file, data)
        known = {each.name for registry in config.registries for each in registry.upstreams}
        if upstream is not None and upstream not in known:
            raise click.BadParameter(
                f"there is no upstream {upstream!r} in {file}", param_hint="'--upstream'"
            )
        vault.set(name, _value(name), upstream)
        _audit(name, "set", upstream)
    click.echo(f'kept; write "vault:{name}" where it is needed', err=True)


@secrets.command("list")
@as_json
@_placed
def list_(as_json: bool, file: Path, data: Path | None) -> None:
    """Names, upstreams and times of the secrets; never a secret."""
    with _told():
        kept = _opened(file, data)[1].kept()
    show(("name", "upstream", "set_at"), [_row(each) for each in kept], as_json=as_json)


@secrets.command()
@click.argument("name")
@_placed
def remove(name: str, file: Path, data: Path | None) -> None:
    """Forget the secret NAME."""
    with _told():
        vault = _opened(file, data)[1]
        vault.remove(name)
        _audit(name, "removed")
    click.echo("removed", err=True)


@secrets.command()
@click.option(
    "--forget-old", is_flag=True, help="Old keys go: copies of the data made before do not open."
)
@_placed
def rotate(forget_old: bool, file: Path, data: Path | None) -> None:
    """Seal every secret, and the passwords of stored upstreams, with a new key.

    Where nodes share a database, what is sealed there too, with the newest key that they all have.
    """
    with _told(), ExitStack() as stack:
        config, vault = _opened(file, data, database=True)
        beside = _sealed(config, vault.keys, stack)
        number = vault.rotate(forget_old=forget_old, beside=beside)
        _audit("", "rotated")
    click.echo(f"sealed {number} with the newest key of {vault.keys}", err=True)


@secrets.command()
def key() -> None:
    """Print a new key, for VIRTREG_SECRET_KEYS."""
    from virtreg.backends.vault import new_key

    click.echo(new_key().reveal())


def _sealed(config: Config, keys: MasterKeys, stack: ExitStack) -> list[Sealed]:
    """What is sealed beside the vault. ``stack`` closes it."""
    from virtreg.backends.catalog import open_passwords
    from virtreg.backends.signing import open_sealed_keys
    from virtreg.storage import open_place

    place = stack.enter_context(open_place(config))
    found: list[Sealed] = []
    passwords = open_passwords(place)
    if passwords is not None:
        stack.callback(passwords.close)
        found.append(passwords)
    if not isinstance(place, Path):
        found.append(stack.enter_context(closing(open_sealed_keys(place, keys))))
    return found


def _opened(file: Path, data: Path | None, *, database: bool = False) -> tuple[Config, Vault]:
    """``database``: with its URL."""
    from virtreg.backends.vault import MasterKeys, Vault
    from virtreg.cli.launch import Launch

    config = Launch(file=file, data=data).config(secrets=False, database=database)
    shared = config.storage.database is not None
    keys = MasterKeys.found(os.environ, file.absolute().parent, shared=shared)
    return config, Vault(config.storage.path, keys)


def _value(name: str) -> Secret:
    """An argument would stand in every list of processes."""
    from virtreg.config.secrets import MAX_BYTES, check
    from virtreg.model import Secret

    if sys.stdin.isatty():
        text = click.prompt(
            f"Secret {name}", hide_input=True, err=True, default="", show_default=False
        )
    else:
        content = sys.stdin.buffer.read(MAX_BYTES + 3)
        try:
            text = content.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise click.ClickException("the secret is not UTF-8 text") from None
    if len(text.encode()) > MAX_BYTES:
        raise click.ClickException(f"the secret is longer than {MAX_BYTES} bytes")
    try:
        check(text, "the secret")
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    return Secret(text)


def _row(kept: Kept) -> dict[str, str | None]:
    return {"name": kept.name, "upstream": kept.upstream, "set_at": utc(kept.set_at)}


def _audit(
    name: str, change: Literal["set", "removed", "rotated"], upstream: str | None = None
) -> None:
    from virtreg.cli.auditing import audit
    from virtreg.events import SecretChanged

    audit(SecretChanged(secret=name, change=change, upstream=upstream))


def _valid(text: str, check: Callable[[str], str], option: str) -> str:
    try:
        return check(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the package as the command line tells them."""
    from virtreg.errors import ConfigError, VirtregError

    try:
        yield
    except ConfigError as error:
        raise Unusable(error.message) from None
    except VirtregError as error:
        raise click.ClickException(str(error)) from None
