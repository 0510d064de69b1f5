"""Making upstreams from their specs."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping

from attrs import define, evolve, field

from virtreg.backends.folder import FolderSource
from virtreg.backends.http.unusable import UnusableUpstream
from virtreg.backends.http.upstream import HttpUpstream
from virtreg.errors import ConfigError
from virtreg.live import Registries
from virtreg.model import UpstreamSpec
from virtreg.protocols import CredentialProvider, LocalSource, Upstream
from virtreg.service.health import GuardedUpstream
from virtreg.service.local import LocalUpstream
from virtreg.service.nesting import NestedRegistry

_log = logging.getLogger(__name__)


@define(eq=False)
class Upstreams:
    """Makes upstreams. What a host's program or the configuration gives them does not change."""

    _clock: Callable[[], float]
    _logins: Mapping[str, CredentialProvider]
    _allow_private: tuple[str, ...]
    """Of those that are stored; in a file each says for itself."""
    _registries: Callable[[], Registries]
    _serves: Callable[[str], bool]
    _offline: bool = field(kw_only=True)
    _observed: Callable[[Upstream], Upstream] = field(default=lambda upstream: upstream)
    """Puts something between each that is asked over the network and its registries."""
    _made: set[str] = field(init=False, factory=set)
    """Names of declared ones that could be used once."""

    def __call__(self, spec: UpstreamSpec) -> GuardedUpstream:
        """Raises ConfigError for a declared one that cannot be used, unless it could before: then
        it is as broken as a stored one, and all others go on."""
        if spec.local:
            # Nothing is held that would have to be closed.
            return LocalUpstream(self._source(spec), self._clock)
        try:
            upstream = self._opened(spec)
        except ConfigError as error:
            if spec.id is None and spec.name not in self._made:
                raise
            _log.warning("upstream %r cannot be used: %s", spec.name, error.message)
            upstream = UnusableUpstream(spec)
        guarded = GuardedUpstream(self._observed(upstream), self._clock, offline=self._offline)
        # One that a change has left behind ends with the last request that uses it.
        weakref.finalize(guarded, upstream.close).atexit = False
        return guarded

    def _opened(self, spec: UpstreamSpec) -> Upstream:
        """Raises ConfigError."""
        if spec.id is not None:
            return open_upstream(spec, allow_private=self._allow_private)
        # Logins are for what is declared, whatever something that is stored is called.
        upstream = HttpUpstream(spec, credentials=self._logins.get(spec.name))
        self._made.add(spec.name)
        return upstream

    def _source(self, spec: UpstreamSpec) -> LocalSource:
        if spec.folder is not None:
            return FolderSource(spec)
        return NestedRegistry(spec, self._registries, self._serves)


def open_upstream(spec: UpstreamSpec, *, allow_private: tuple[str, ...] = ()) -> Upstream:
    """One upstream on its own, for trying it out; it may also reach these ranges outside the
    public internet. The caller closes it. Raises ConfigError for one that cannot be used."""
    if spec.unusable:
        raise ConfigError(spec.unusable)
    return HttpUpstream(evolve(spec, allow_private=(*spec.allow_private, *allow_private)))
