"""``virtreg backup``: a copy of what a server knows, while it runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from virtreg.cli.reaching import FILE, data_option
from virtreg.cli.usable import usable

_ELSEWHERE: Final = {"blobs", "journal", "spool", "cache", "flights", "metrics", "keys"}
"""Folders of what is copied as it is, or not worth it, or not to be in any copy: whoever has a
signing key makes tokens, and who has none asks for new ones."""

_KEY: Final = "secret.key"
_SIDE_FILES: Final = ("-wal", "-shm", "-journal", ".lock")


@click.command(short_help="Copy the databases of a server.")
@click.argument("file", type=FILE, required=False)
@click.option(
    "--to",
    "target",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    required=True,
    help="Where the copy goes; it must not be there yet.",
)
@data_option
def backup(file: Path | None, data: Path | None, target: Path) -> None:
    """Copy the databases and the sealed secrets of upstreams of the server that FILE configures, or
    whose data is in a folder.

    The server may run meanwhile. The files of the cache, below blobs and journal, are copied by
    any tool afterwards; the master key, which opens the secrets, is to be kept elsewhere. Signing
    keys are not copied: they are made anew.
    """
    from virtreg.backends.vault import MasterKeys
    from virtreg.cli.launch import Launch

    if (file is None) == (data is None):
        raise click.UsageError("say which server is meant: FILE or --data FOLDER")
    config = usable(lambda: Launch(file=file, data=data).config(secrets=False))
    if config.storage.database is not None:
        raise click.ClickException("the databases are in PostgreSQL: copy them with pg_dump")
    folder = config.storage.path
    if not (folder / "index.sqlite").is_file():
        raise click.ClickException(f"{folder}: no server keeps its data there")
    if target.exists():
        raise click.ClickException(f"{target} is there already")
    master = MasterKeys.found(os.environ, config.folder or folder).path.resolve()
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        _copy(folder, unfinished, master)
        unfinished.rename(target)
    except OSError as error:
        raise click.ClickException(f"cannot write {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    click.echo(f"copied to {target}, without the master key and signing keys", err=True)


def _copy(folder: Path, target: Path, master: Path) -> None:
    """``master`` is the file of master keys, by whatever name. Raises OSError and
    ClickException."""
    from virtreg.backends.sql.copying import copy_database
    from virtreg.backends.sql.faults import Trouble
    from virtreg.errors import VirtregError

    target.mkdir(mode=0o700, parents=True)
    for file in _files(folder):
        if file.resolve() == master:
            continue
        copied = target / file.relative_to(folder)
        copied.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if file.suffix == ".sqlite":
            try:
                copy_database(file, copied, Trouble(f"the database {file.name}"))
            except VirtregError as error:
                raise click.ClickException(str(error)) from None
        else:
            shutil.copy2(file, copied)


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        if Path(parent) == folder:
            folders[:] = [name for name in folders if name not in _ELSEWHERE]
        for name in sorted(files):
            if name != _KEY and not name.endswith(_SIDE_FILES):
                yield Path(parent) / name
