"""The commands and their options. What they do is imported when they run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from virtreg.cli.access import group, member, user
from virtreg.cli.access_tokens import token
from virtreg.cli.apply import apply
from virtreg.cli.backup import backup
from virtreg.cli.cache import cache
from virtreg.cli.cleanup import cleanup
from virtreg.cli.db import db
from virtreg.cli.fsck import fsck
from virtreg.cli.policies import policy
from virtreg.cli.registries import registry
from virtreg.cli.secrets import secrets
from virtreg.cli.signing_keys import keys
from virtreg.cli.storage import storage
from virtreg.cli.upstreams import upstream
from virtreg.cli.usable import Unusable, usable

if TYPE_CHECKING:
    from virtreg.config import Config
    from virtreg.protocols import CacheStore

Command = TypeVar("Command", bound=Callable[..., Any])


def _file(*, required: bool) -> Callable[[Command], Command]:
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.argument("file", type=kind, required=required)


@click.group()
@click.version_option(package_name="virtreg")
def virtreg() -> None:
    """One URL in front of many package registries."""


for _commands in (
    *(registry, upstream, cache, policy, storage, apply, cleanup, fsck, backup),
    *(user, group, member, token, secrets, keys, db),
):
    virtreg.add_command(_commands)


@virtreg.command(short_help="Serve registries.")
@_file(required=False)
@click.option("--host", metavar="HOST", help="Name or address to listen on.")
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder of the cache; without FILE, virtreg-data by default.",
)
@click.option("--offline", is_flag=True, help="Ask no upstream; serve what is cached.")
def serve(
    file: Path | None, host: str | None, port: int | None, data: Path | None, offline: bool
) -> None:
    """Serve the registries of FILE; without one, Maven Central and Docker Hub."""
    from virtreg.cli.launch import Launch
    from virtreg.config import fields

    host = _valid(host, fields.host, "'--host'")
    launch = Launch(file=file, host=host, port=port, data=data, offline=offline)
    config = usable(launch.config)
    from virtreg.assembly import build
    from virtreg.cli.journal import journal
    from virtreg.cli.measuring import count_together
    from virtreg.cli.serving import CannotListen, run
    from virtreg.errors import StorageError

    start = partial(build, observers=[journal], listening=True)
    try:
        count_together(config)
        raise SystemExit(run(config.server, launch, start))
    except (CannotListen, StorageError) as error:
        raise click.ClickException(str(error)) from None


@virtreg.command()
@_file(required=True)
@click.option("--offline", is_flag=True, help="Only read the file; ask no upstream.")
def check(file: Path, offline: bool) -> None:
    """Check FILE, then ask every upstream in it for one small file, and a bucket to take one."""
    from virtreg.backends.store.exposure import exposure
    from virtreg.cli.launch import Launch

    config = usable(Launch(file=file).config)
    store = _remote_store(file, config)
    click.echo(f"{file}: ok")
    exposed = exposure(config.storage.path) if config.access.enabled else None
    if exposed is not None:
        click.echo(f"warning: {exposed}", err=True)
    if config.storage.database is not None and config.storage.url is None:
        click.echo(
            "warning: storage.database without storage.url: the files stay in the folder of each"
            " node, where others do not find them; set storage.url, or run one node alone",
            err=True,
        )
    if offline:
        return
    from virtreg.backends.http.upstream import HttpUpstream
    from virtreg.cli.checking import findings, kept

    broken = 0
    files = [kept(f"{config.storage.url}", store)] if store is not None else []
    for finding in chain(files, findings(config, HttpUpstream)):
        click.echo(str(finding))
        broken += finding.broken
    if broken:
        raise SystemExit(1)


@virtreg.command()
@_file(required=False)
@click.option(
    "--base-url", metavar="URL", help="Where clients reach the server, if not at its own address."
)
def snippets(file: Path | None, base_url: str | None) -> None:
    """Print what to paste into build tools and container engines.

    The registries are those of FILE; without one, Maven Central and Docker Hub.
    """
    from virtreg.cli import banner
    from virtreg.cli.launch import Launch
    from virtreg.config import fields

    # Where snippets are printed, the server's secrets need not be.
    config = usable(partial(Launch(file=file).config, secrets=False))
    base = _valid(base_url, fields.url, "'--base-url'") or banner.base_url(config.server)
    for served in config.registries:
        for line in banner.snippet_lines(base, served):
            click.echo(line)


@virtreg.command()
@click.argument("registry")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option(
    "--config",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The registries; without one, the registry hub over Docker Hub.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder of the cache; without FILE, virtreg-data by default.",
)
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH",
    multiple=True,
    help="As linux/arm64, or all; may be given again. By default this machine's.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Downloads at the same time.",
)
def prefetch(
    registry: str,
    images: tuple[str, ...],
    file: Path | None,
    data: Path | None,
    platforms: tuple[str, ...],
    jobs: int,
) -> None:
    """Have every IMAGE, NAME[:TAG][@DIGEST], in the cache of REGISTRY.

    A server may run on the same folder meanwhile.
    """
    from virtreg.cli.launch import Launch
    from virtreg.cli.prefetching import run
    from virtreg.errors import VirtregError
    from virtreg.prefetch import own_platform, parse_platforms

    try:
        chosen = parse_platforms(platforms or [own_platform()])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--platform'") from None
    config = usable(Launch(file=file, data=data).config)
    formats = {each.name: each.format for each in config.registries}
    if formats.get(registry) != "container":
        there = [name for name, spoken in formats.items() if spoken == "container"]
        raise click.BadParameter(
            f"there is no registry of images {registry!r}; there are: {', '.join(there) or 'none'}",
            param_hint="'REGISTRY'",
        )
    try:
        done = run(config, registry, images, chosen, jobs)
    except VirtregError as error:
        raise click.ClickException(str(error)) from None
    if not done:
        raise SystemExit(1)


def _valid(text: str | None, check: Callable[[str], str], option: str) -> str | None:
    try:
        return None if text is None else check(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _remote_store(file: Path, config: Config) -> CacheStore | None:
    """Where the files are, if not in a folder; asks nobody. What only a start would find wrong is
    found here as well."""
    from virtreg.errors import ConfigError
    from virtreg.storage import open_place_of_blobs
    from virtreg.telemetry import tracer_type

    try:
        if config.tracing.endpoint:
            tracer_type()
        store = open_place_of_blobs(config.storage)
    except ConfigError as error:
        raise Unusable(f"{file}: {error.message}") from None
    return store if config.storage.url is not None else None
