"""The registries of one process, as the catalog says they are now."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.protocols import Catalog
from virtreg.service.health import GuardedUpstream
from virtreg.service.registry import PullThroughRegistry

_log = logging.getLogger(__name__)

_LOOKS_EVERY: Final = 0.5
"""Seconds. What another process changed is in force within a second, and no request asks."""

_TRIES_AGAIN: Final = 20
"""Looks after which it is seen whether upstreams that are unusable still are: their keys may be
back, which is no change of the catalog."""

Registries = Mapping[str, PullThroughRegistry]
"""By name."""


class Live:
    """Makes what the catalog lists, and keeps what a change leaves as it was.

    ``make`` puts a registry together, ``open_upstream`` makes an upstream, one object however many
    registries list it. Thread-safe. ``start`` looks for changes of other processes until
    ``close``.

    A request goes on with the registry it began with. What nobody uses any more is closed when
    its last user lets go of it.
    """

    def __init__(
        self,
        catalog: Catalog,
        make: Callable[[RegistrySpec, Sequence[GuardedUpstream]], PullThroughRegistry],
        open_upstream: Callable[[UpstreamSpec], GuardedUpstream],
    ) -> None:
        """Raises what the catalog raises."""
        self._catalog = catalog
        self._make = make
        self._open_upstream = open_upstream
        self._listeners: list[Callable[[Registries], None]] = []
        self._lock = threading.Lock()
        self._revision: int | None = None
        self._specs: Sequence[RegistrySpec] = ()
        self._upstreams: dict[UpstreamSpec, GuardedUpstream] = {}
        self._opened: weakref.WeakSet[GuardedUpstream] = weakref.WeakSet()
        self._by_id: Mapping[int, PullThroughRegistry] = {}
        self.registries: Registries = MappingProxyType({})
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtreg-catalog", daemon=True)
        self.refresh()

    def registry(self, registry_id: int) -> PullThroughRegistry | None:
        return self._by_id.get(registry_id)

    def upstream(self, spec: UpstreamSpec) -> GuardedUpstream | None:
        """The one that is asked for a registry's sake; None while no registry lists it."""
        return self._upstreams.get(spec)

    @property
    def revision(self) -> int:
        """Of the catalog, as it is followed."""
        return self._revision or 0

    @property
    def upstreams(self) -> tuple[GuardedUpstream, ...]:
        return tuple(self._upstreams.values())

    def refresh(self, *, thoroughly: bool = False) -> bool:
        """Look whether the catalog has changed, and follow it; whether it had. ``thoroughly``: even
        if it does not say so. Raises what the catalog raises, and then all stays as it was."""
        with self._lock:
            revision = self._catalog.revision()
            if revision == self._revision and not thoroughly:
                return False
            specs = self._catalog.registries()
            if revision == self._revision and specs == self._specs:
                return False
            upstreams = self._upstreams_of(specs)
            made = [self._registry(spec, upstreams) for spec in specs]
            self._upstreams = upstreams
            self._by_id = {registry.spec.id: registry for registry in made}
            self.registries = MappingProxyType({each.spec.name: each for each in made})
            self._revision, self._specs = revision, specs
            for listener in self._listeners:
                listener(self.registries)
            return True

    def follow(self) -> None:
        """As ``refresh``, for a change that was made: what the catalog raises is logged, and tried
        again by the thread that looks for changes of others."""
        try:
            self.refresh()
        except Exception:  # noqa: BLE001 - the change is made, whatever comes of it here
            _log.warning("a change of the catalog cannot be followed yet", exc_info=True)

    def tell(self, listener: Callable[[Registries], None]) -> None:
        """Tell of all registries: now, and after each change, on the thread that noticed it and
        before ``refresh`` returns."""
        with self._lock:
            self._listeners.append(listener)
            listener(self.registries)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Close every upstream, after the last request."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        for upstream in tuple(self._opened):
            upstream.close()

    def _upstreams_of(self, specs: Sequence[RegistrySpec]) -> dict[UpstreamSpec, GuardedUpstream]:
        kept: dict[UpstreamSpec, GuardedUpstream] = {}
        for spec in (upstream for registry in specs for upstream in registry.upstreams):
            if spec not in kept:
                kept[spec] = self._upstreams.get(spec) or self._opened_upstream(spec)
        return kept

    def _opened_upstream(self, spec: UpstreamSpec) -> GuardedUpstream:
        upstream = self._open_upstream(spec)
        self._opened.add(upstream)
        return upstream

    def _registry(
        self, spec: RegistrySpec, upstreams: Mapping[UpstreamSpec, GuardedUpstream]
    ) -> PullThroughRegistry:
        # Equal registries list equal upstreams, which are kept as well.
        before = self._by_id.get(spec.id)
        if before is not None and before.spec == spec:
            return before
        return self._make(spec, [upstreams[upstream] for upstream in spec.upstreams])

    def _run(self) -> None:
        told: type[Exception] | None = None
        looks = 0
        while not self._stopping.wait(_LOOKS_EVERY):
            looks += 1
            try:
                unusable = any(spec.unusable for spec in tuple(self._upstreams))
                self.refresh(thoroughly=unusable and looks % _TRIES_AGAIN == 0)
            except Exception as error:  # noqa: BLE001 - what was served before still is
                # Once an outage: what exactly is wrong with it may change at every look.
                if type(error) is not told:
                    _log.warning("the catalog cannot be followed", exc_info=True)
                told = type(error)
            else:
                told = None
