"""From specs to live objects, once per process.

Nothing here touches the network, and nothing survives a fork: a server that forks builds in each
worker.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from types import MappingProxyType
from typing import Self
from wsgiref.types import WSGIApplication

from attrs import evolve, frozen

from virtreg.access import Access, open_access, open_signing_keys
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.catalog import SqlCatalog, open_catalog
from virtreg.backends.index import SqlIndex
from virtreg.backends.observers.audit import AuditLog
from virtreg.backends.store.exposure import exposure
from virtreg.backends.vault import MasterKeys
from virtreg.config import Config
from virtreg.core.capacity import reserve_of
from virtreg.core.egress import EgressPolicy
from virtreg.errors import ConfigError
from virtreg.events import Observer
from virtreg.formats import named
from virtreg.live import Live, Registries
from virtreg.managed import CleanupPolicy
from virtreg.managing import limits_of, make_groups, serves
from virtreg.measuring import Measured
from virtreg.model import RegistrySpec
from virtreg.protocols import (
    Authenticator,
    CredentialProvider,
    Directory,
    Format,
)
from virtreg.readiness import checks_of, essential, require_space
from virtreg.service.barring import Barring
from virtreg.service.cleaning import Cleaner
from virtreg.service.closed import made
from virtreg.service.flight_leases import FlightLeases
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import Intake
from virtreg.service.journal import Journal
from virtreg.service.keeping import Keeping
from virtreg.service.node import Node
from virtreg.service.prefetching import Prefetching
from virtreg.service.publishing import Publisher
from virtreg.service.room import Room
from virtreg.service.sweeping import Sweeper
from virtreg.service.turns import Turns
from virtreg.service.works import Works
from virtreg.storage import Storage, open_storage
from virtreg.telemetry import Telemetry, open_telemetry
from virtreg.upstreams import Upstreams, open_upstream
from virtreg.wsgi.api.application import Api
from virtreg.wsgi.api.offer import every_endpoint
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.app import Application
from virtreg.wsgi.base import base_url
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.overload import Taking
from virtreg.wsgi.probes import Probes
from virtreg.wsgi.ready import ReadyAnswers
from virtreg.wsgi.redirecting import Redirecting

_log = logging.getLogger(__name__)

_CLOSING_GRACE = 10.0
"""Seconds running downloads get when the process ends and nobody waits for them any more."""


@frozen(eq=False)
class Assembly:
    """Everything of one process. ``close`` once, after the last request; leaving a ``with`` block
    does."""

    app: WSGIApplication
    catalog: SqlCatalog
    """What is served from now on follows it."""
    directory: Directory
    live: Live
    works: Works
    ledger: Ledger
    index: SqlIndex
    sweeper: Sweeper
    cleaner: Cleaner
    journal: Journal
    _storage: Storage
    _keeping: Keeping
    access: Access
    _prefetching: Prefetching
    _telemetry: Telemetry
    _api: Callable[[Authenticator], Api]

    @property
    def registries(self) -> Registries:
        """Those of this moment."""
        return self.live.registries

    @property
    def upstreams(self) -> Sequence[GuardedUpstream]:
        """Those of this moment."""
        return self.live.upstreams

    def api_for(self, authenticator: Authenticator) -> Api:
        """The management API for callers whom ``authenticator`` admits; it decides about every
        action, and not about pulling alone."""
        return self._api(authenticator)

    def run_due(self, now: float) -> list[CleanupPolicy]:
        """Run the cleanup policies that are due, as the threads here do once a minute anyway; those
        that ran. For processes that end sooner."""
        return self.cleaner.run_due(now)

    def stats(self) -> Mapping[str, int]:
        """``requests``, ``hits``, ``misses``, ``errors``, ``bytes``, and ``active`` downloads."""
        return {**self.ledger.totals(), "active": self.works.intake.active}

    def close(self, grace: float = _CLOSING_GRACE) -> None:
        """Finish what runs within ``grace`` seconds, publish what is whole, write what is
        counted."""
        self._keeping.close()
        self.sweeper.close()
        self._prefetching.close()
        self.works.close(grace)
        self.ledger.close()
        self.journal.close()
        self.live.close()
        self.access.close()
        self.catalog.close()
        self._telemetry.close()
        self._storage.close()

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
    managing: bool = False,
) -> Assembly:
    """Open the storage and put the parts together; threads run from here on.

    Who may pull is for ``authenticator`` to decide; without one, for the users and tokens in the
    data folder if the configuration says so, else everybody may. ``formats`` adds to the built-in
    ones or replaces them. ``logins`` gives upstreams, by name, the login that a program of the
    host's obtains. ``managing``: a host's own ``authenticator`` decides also about the actions of
    the management API, which takes nobody's word otherwise; it must look at ``Scope.action``.
    Those of :mod:`virtreg.backends.auth` that know no roles let everybody only pull, unless they
    are told otherwise.
    ``listening``: the server that the configuration describes serves this, so that
    its address says where requests can come from. Raises ConfigError, also for a login of an
    upstream that is not there, and StorageError.
    """
    declared = {upstream.name for spec in config.registries for upstream in spec.upstreams}
    for name in sorted(logins.keys() - declared):
        raise ConfigError(f"logins: there is no upstream {name!r}")
    path = config.storage.path
    with ExitStack() as undone:
        storage = undone.enter_context(open_storage(config))
        store, index, directory = storage.store, storage.index, storage.directory
        _warn_of_exposure(config, authenticator)
        shared = storage.server is not None
        keys = MasterKeys.found(os.environ, config.folder or path, shared=shared)
        specs = [_with_logins(spec, logins) for spec in config.registries]
        for spec in specs:
            # What a file says ends the start, and what is stored its own registry alone.
            Barring.of(spec, named(spec.format, formats), clock)
        catalog = undone.enter_context(
            closing(
                open_catalog(storage.place, specs, keys=keys, clock=clock, limits=limits_of(config))
            )
        )
        make_groups(directory, specs)
        # The works come later, and nobody is let in before.
        tell: Observer = lambda event: works.tell(event)  # noqa: E731, PLW0108
        signing = partial(open_signing_keys, storage.place, keys)
        access = open_access(
            config, authenticator, directory, clock, tell, signing, listening=listening
        )
        undone.callback(access.close)
        room = Room(
            index,
            catalog,
            clock,
            free=lambda: shutil.disk_usage(path).free,
            reserve=reserve_of(shutil.disk_usage(path).total),
            # The keeping comes later, and nothing is kept before.
            filled=lambda: keeping.filled(),  # noqa: PLW0108
        )
        ready = ReadyAnswers(config.server.hot_bytes)
        journal = Journal(index, store, clock)
        checks = checks_of(index, store, journal)
        telemetry = open_telemetry(
            config, lambda: Measured(works, live, room, store, path, checks), clock
        )
        undone.callback(telemetry.close)
        ledger = Ledger(
            index,
            access_log=bool(config.server.access_log),
            measure=telemetry.measure,
            measured=telemetry.sample,
        )
        works = Works(
            store=store,
            index=index,
            intake=Intake(storage.spool, clock),
            publisher=Publisher(store, index, room),
            clock=clock,
            observers=(
                ready.observe,
                AuditLog(config.server.audit_log),
                *telemetry.observers,
                *observers,
            ),
            others=Node(
                path / "flights", None if storage.server is None else FlightLeases(index, clock)
            ),
            streams=config.storage.when_unavailable == "stream",
        )
        live = Live(
            catalog,
            lambda spec, upstreams: made(spec, named(spec.format, formats), upstreams, works),
            Upstreams(
                clock,
                logins,
                config.management.allow_private,
                # Nobody asks for one before the registries are made.
                lambda: live.registries,
                partial(serves, directory),
                offline=config.server.offline,
                observed=lambda upstream: telemetry.observed(upstream, tell),
            ),
        )
        undone.pop_all()
    catalog.on_change(live.follow)
    cleaner = Cleaner(
        index,
        store,
        catalog,
        clock,
        works.tell,
        settle=ledger.flush,
        removed=catalog.announce,
    )
    keeping = Keeping(cleaner, room, clock)
    prefetching = Prefetching()
    parts = Parts(
        catalog,
        directory,
        index,
        store,
        live.registry,
        partial(open_upstream, allow_private=config.management.allow_private),
        cleaner,
        works.tell,
        clock,
        partial(base_url, config.server.external_url),
        EgressPolicy(config.management.allow_private),
        live.upstream,
        prefetching,
        served=ledger.served,
    )
    # Once: what is offered is the same for all.
    endpoints = every_endpoint(parts)
    realm = config.server.realm
    managed = managing or authenticator is None
    turns = Turns(config.server.threads, config.server.misses)
    app = Application(
        live.registries.values(),
        store,
        ready,
        ledger,
        Probes(
            {**checks, "disk": partial(require_space, path), "overload": turns.check},
            essential(config.storage),
        ),
        access.authenticator,
        realm,
        clock,
        config.server.image_prefix,
        access.tokens,
        works.tell,
        access.guards.checks,
        Api(endpoints, access.authenticator if managed else Anonymous(), directory, realm),
        access.passes,
        access.guards.count,
        figures=telemetry.page,
        tracer=telemetry.tracer,
        redirecting=Redirecting(store, config.storage.redirect),
        turns=Taking(turns, access.guards.addresses),
    )
    live.tell(lambda registries: app.serve(registries.values()))
    # A quota may be among what was changed.
    live.tell(lambda _: keeping.filled())
    sweeper = Sweeper(store, index, clock)
    ledger.start()
    sweeper.start()
    journal.start()
    keeping.start()
    live.start()
    return Assembly(
        app,
        catalog,
        directory,
        live,
        works,
        ledger,
        index,
        sweeper,
        cleaner,
        journal,
        storage,
        keeping,
        access,
        prefetching,
        telemetry,
        lambda authenticator: Api(endpoints, authenticator, directory, realm),
    )


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
