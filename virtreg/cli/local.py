"""The management API of a data folder, in this process: no server is needed, and one may run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

import click
from attrs import frozen

from virtreg.backends.catalog import FILE as CATALOG
from virtreg.backends.catalog import SqlCatalog, open_catalog
from virtreg.backends.directory import FILE as DIRECTORY
from virtreg.backends.observers.audit import AuditLog
from virtreg.backends.vault import MasterKeys
from virtreg.cli.api import Reply
from virtreg.cli.auditing import account
from virtreg.config import Config
from virtreg.core.capacity import reserve_of
from virtreg.core.egress import EgressPolicy
from virtreg.formats import named
from virtreg.live import Live, Registries
from virtreg.managing import limits_of, make_groups, serves
from virtreg.model import Credentials, Principal, RegistrySpec, Scope
from virtreg.service.cleaning import Cleaner
from virtreg.service.closed import made
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import Intake
from virtreg.service.publishing import Publisher
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.room import Room
from virtreg.service.works import Works
from virtreg.storage import open_storage
from virtreg.upstreams import Upstreams, open_upstream
from virtreg.wsgi.api import cleanups
from virtreg.wsgi.api.application import Api
from virtreg.wsgi.api.offer import every_endpoint
from virtreg.wsgi.api.parts import Parts

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_GRACE: Final = 3600.0
"""Seconds that downloads get to end: whoever waits can interrupt."""


@frozen(eq=False)
class Local:
    """A Door. For one thread."""

    parts: Parts
    me: Principal
    """Who asks."""
    _api: Api
    _publisher: Publisher

    def send(self, method: str, target: str, body: bytes | None) -> Reply:
        status, headers, content = self._api.answer(_environ(method, target, body))
        return Reply(status, {name.lower(): value for name, value in headers}, content)

    @property
    def settles(self) -> bool:
        return True

    def settle(self) -> None:
        self.parts.prefetching.settle()
        self._publisher.settle()


@contextmanager
def opened(config: Config, *, new: bool = False) -> Iterator[Local]:
    """The API of the configuration's data folder, asked by an administrator: the account of the
    machine that runs this. ``new``: the folder is made where there is none,
    and nothing in it is declared.

    The picture that running servers have of their configuration file is left as it is. Raises
    ClickException for a folder that no server has used, and ConfigError and StorageError.
    """
    folder = config.storage.path
    # Else the configuration is made up, for a folder.
    whole = config.folder is not None
    if config.storage.database is None and not (folder / CATALOG).is_file():
        _check_new(folder, whole=whole, new=new)
    private = config.management.allow_private
    with ExitStack() as stack:
        storage = stack.enter_context(open_storage(config))
        store, index, directory = storage.store, storage.index, storage.directory
        declared = config.registries
        catalog = stack.enter_context(
            closing(
                open_catalog(
                    storage.place,
                    declared,
                    keys=MasterKeys.found(
                        os.environ, config.folder or folder, shared=storage.server is not None
                    ),
                    limits=limits_of(config),
                    mirrored=False,
                )
            )
        )
        if whole and not new and not catalog.revision():
            # No server has begun with it.
            catalog.mirror()
        if not whole and (others := catalog.declared_elsewhere()):
            raise click.ClickException(
                f"registry {others[0]!r} is declared in the configuration file of the server; say"
                " which that is with --config FILE"
            )
        make_groups(directory, declared if whole else ())
        intake = Intake(storage.spool, time.time)
        room = Room(
            index,
            catalog,
            time.time,
            free=lambda: shutil.disk_usage(folder).free,
            reserve=reserve_of(shutil.disk_usage(folder).total),
        )
        publisher = Publisher(store, index, room)
        works = Works(store, index, intake, publisher, time.time)
        stack.callback(works.close, _GRACE)
        upstreams = Upstreams(
            time.time,
            {},
            private,
            # They are made by what is made of these.
            lambda: answering.registries,
            partial(serves, directory),
            offline=config.server.offline,
        )
        answering = stack.enter_context(closing(_Answering(catalog, works, upstreams, room)))
        audit = AuditLog(config.server.audit_log)
        cleaner = Cleaner(index, store, catalog, time.time, audit, removed=catalog.announce)
        stack.callback(cleaner.close)
        me = Principal(f"local:{account()}")
        parts = Parts(
            catalog=catalog,
            directory=directory,
            index=index,
            store=store,
            registry=answering.registry,
            open_upstream=partial(open_upstream, allow_private=private),
            cleaner=cleaner,
            notify=audit,
            clock=time.time,
            url=lambda _: "",
            egress=EgressPolicy(private),
            operator=me,
        )
        stack.callback(parts.prefetching.close)
        # Here nobody waits behind a proxy for the end of a cleanup.
        endpoints = [*cleanups.endpoints(parts, _GRACE), *every_endpoint(parts)]
        api = Api(endpoints, _Everything(me), directory, config.server.realm)
        yield Local(parts, me, api, publisher)


@frozen(eq=False)
class _Everything:
    """An Authenticator: whoever can open the data folder may do everything there."""

    _me: Principal

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:  # noqa: ARG002
        return self._me


class _Answering:
    """What answers pulls, put together when a command needs it."""

    def __init__(self, catalog: SqlCatalog, works: Works, upstreams: Upstreams, room: Room) -> None:
        self._catalog = catalog
        self._works = works
        self._upstreams = upstreams
        self._room = room
        self._live: Live | None = None

    def registry(self, registry_id: int) -> PullThroughRegistry | None:
        """As it is now."""
        if self._live is None:
            self._room.look()
            self._live = Live(self._catalog, self._made, self._upstreams)
        self._live.refresh()
        return self._live.registry(registry_id)

    @property
    def registries(self) -> Registries:
        """As they were when one was asked for last."""
        return {} if self._live is None else self._live.registries

    def close(self) -> None:
        if self._live is not None:
            self._live.close()

    def _made(
        self, spec: RegistrySpec, upstreams: Sequence[GuardedUpstream]
    ) -> PullThroughRegistry:
        return made(spec, named(spec.format), upstreams, self._works)


def _check_new(folder: Path, *, whole: bool, new: bool) -> None:
    """Raises ClickException."""
    served = (folder / "index.sqlite").is_file()
    if not (new or served or (folder / DIRECTORY).is_file()):
        # A mistyped folder is no new server.
        raise click.ClickException(f"{folder}: no server keeps its data there")
    if served and not whole:
        # The file may say that what is cached is elsewhere.
        raise click.ClickException(
            f"{folder}: it is not known yet what the server declares; start it, or say its"
            " configuration file with --config FILE"
        )


def _environ(method: str, target: str, body: bytes | None) -> WSGIEnvironment:
    """As a WSGI server makes it (PEP 3333)."""
    path, _, query = target.partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "wsgi.input": BytesIO(body or b""),
    }
    if body is not None:
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    return environ
