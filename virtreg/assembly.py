"""From specs to live objects, once per process.

Nothing here touches the network, and nothing survives a fork: a server that forks builds in each
worker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Self
from wsgiref.types import WSGIApplication

from attrs import define, evolve, field, frozen

from virtreg.access import Access, open_access
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.catalog import StaticCatalog
from virtreg.backends.http.upstream import HttpUpstream
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.observers.audit import AuditLog
from virtreg.backends.store import LocalStore, open_store
from virtreg.backends.store.exposure import exposure
from virtreg.config import Config
from virtreg.core.layout import blob_key
from virtreg.errors import ConfigError, Missing
from virtreg.events import Observer
from virtreg.formats import named
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.protocols import (
    Authenticator,
    CacheStore,
    CredentialProvider,
    Format,
    Spools,
    Upstream,
)
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import Intake
from virtreg.service.publishing import Publisher
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.sweeping import Sweeper
from virtreg.service.works import Works
from virtreg.wsgi.app import Application
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.probes import Probes
from virtreg.wsgi.ready import ReadyAnswers

_log = logging.getLogger(__name__)

_CLOSING_GRACE = 10.0
"""Seconds running downloads get when the process ends and nobody waits for them any more."""


@frozen(eq=False)
class Assembly:
    """Everything of one process. ``close`` once, after the last request; leaving a ``with`` block
    does."""

    app: WSGIApplication
    registries: Mapping[str, PullThroughRegistry]
    """By name."""
    works: Works
    ledger: Ledger
    index: SqlIndex
    sweeper: Sweeper
    upstreams: Sequence[GuardedUpstream]
    access: Access

    def stats(self) -> Mapping[str, int]:
        """``requests``, ``hits``, ``misses``, ``errors``, ``bytes``, and ``active`` downloads."""
        return {**self.ledger.totals(), "active": self.works.intake.active}

    def close(self, grace: float = _CLOSING_GRACE) -> None:
        """Finish what runs within ``grace`` seconds, publish what is whole, write what is
        counted."""
        self.sweeper.close()
        self.works.close(grace)
        self.ledger.close()
        for upstream in self.upstreams:
            upstream.close()
        self.index.close()
        self.access.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def build(
    config: Config,
    *,
    authenticator: Authenticator | None = None,
    observers: Sequence[Observer] = (),
    formats: Sequence[Format] = (),
    logins: Mapping[str, CredentialProvider] = MappingProxyType({}),
    clock: Callable[[], float] = time.time,
    listening: bool = False,
) -> Assembly:
    """Open the storage and put the parts together; threads run from here on.

    Who may pull is for ``authenticator`` to decide; without one, for the users and tokens in the
    data folder if the configuration says so, else everybody may. ``formats`` adds to the built-in
    ones or replaces them. ``logins`` gives upstreams, by name, the login that a program of the
    host's obtains. ``listening``: the server that the configuration describes serves this, so that
    its address says where requests can come from. Raises ConfigError, also for a login of an
    upstream that is not there, and StorageError.
    """
    catalog = StaticCatalog(config.registries)
    known = {upstream.name for spec in catalog.registries() for upstream in spec.upstreams}
    for name in sorted(logins.keys() - known):
        raise ConfigError(f"logins: there is no upstream {name!r}")
    path = config.storage.path
    store = open_store(config.storage.url or path)
    index = open_index(path)
    _warn_of_exposure(config, authenticator)
    with ExitStack() as undone:
        undone.callback(index.close)
        # The works come later, and nobody is let in before.
        tell: Observer = lambda event: works.tell(event)  # noqa: E731, PLW0108
        access = open_access(config, authenticator, clock, tell, listening=listening)
        undone.pop_all()
    ready = ReadyAnswers(config.server.hot_bytes)
    ledger = Ledger(index, access_log=bool(config.server.access_log))
    works = Works(
        store=store,
        index=index,
        intake=Intake(_spool_folder(store, path), clock),
        publisher=Publisher(store, index),
        clock=clock,
        observers=(ready.observe, AuditLog(config.server.audit_log), *observers),
    )
    upstreams = _Upstreams(clock, logins, offline=config.server.offline)
    registries: dict[str, PullThroughRegistry] = {}
    for configured in catalog.registries():
        spec = _with_logins(configured, logins)
        registries[spec.name] = PullThroughRegistry(
            spec,
            named(spec.format, formats),
            [upstreams.of(upstream) for upstream in spec.upstreams],
            works,
        )
    app = Application(
        registries.values(),
        store,
        ready,
        ledger,
        Probes({"index": lambda: _readable(index), "store": lambda: _openable(store)}),
        access.authenticator,
        config.server.realm,
        clock,
        config.server.image_prefix,
        access.tokens,
        works.tell,
        access.guards.checks,
    )
    sweeper = Sweeper(store, index, clock)
    ledger.start()
    sweeper.start()
    made = tuple(upstreams.made.values())
    return Assembly(app, registries, works, ledger, index, sweeper, made, access)


@define
class _Upstreams:
    """One object per upstream, however many registries list it: its limits are its own."""

    _clock: Callable[[], float]
    _logins: Mapping[str, CredentialProvider]
    _offline: bool = field(kw_only=True)
    made: dict[str, GuardedUpstream] = field(factory=dict, init=False)

    def of(self, spec: UpstreamSpec) -> GuardedUpstream:
        if spec.name not in self.made:
            upstream = HttpUpstream(spec, credentials=self._logins.get(spec.name))
            self.made[spec.name] = GuardedUpstream(upstream, self._clock, offline=self._offline)
        return self.made[spec.name]


def _with_logins(spec: RegistrySpec, logins: Mapping[str, CredentialProvider]) -> RegistrySpec:
    """What is given a login here is not anonymous, though its configuration names none."""
    return evolve(
        spec,
        upstreams=tuple(
            evolve(upstream, login_provided=upstream.name in logins) for upstream in spec.upstreams
        ),
    )


def _warn_of_exposure(config: Config, authenticator: Authenticator | None) -> None:
    """Where not everybody may pull, not every account of the machine is to read the files."""
    if authenticator is None:
        restricted = config.access.enabled
    else:
        restricted = type(authenticator) is not Anonymous
    exposed = exposure(config.storage.path) if restricted else None
    if exposed is not None:
        _log.warning("%s", exposed)


def _spool_folder(store: CacheStore, path: Path) -> Callable[[], Path]:
    """Downloads wait on the local disk wherever the blobs end up."""
    return store.spool if isinstance(store, Spools) else LocalStore(path).spool


def _readable(index: SqlIndex) -> None:
    """Raises IndexUnavailable."""
    index.find("", [""])


def _openable(store: CacheStore) -> None:
    """Raises StorageError when the store cannot be asked; holding nothing is fine."""
    with suppress(Missing):
        store.open(blob_key("0" * 64)).close()


def open_upstream(spec: UpstreamSpec) -> Upstream:
    """One upstream on its own, for trying it out. The caller closes it."""
    return HttpUpstream(spec)
