"""A registry that cannot be made of what is stored, such as after a rule was kept that this version
does not take. What its rules deny is not known, so that nothing is served, not from its cache
either; all others go on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NoReturn

from attrs import evolve

from virtreg.errors import ConfigError, RegistryClosed
from virtreg.model import RegistrySpec, Route
from virtreg.protocols import Format
from virtreg.service.health import GuardedUpstream
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.works import Works

_log = logging.getLogger(__name__)


def made(
    spec: RegistrySpec,
    format: Format,  # noqa: A002 - the protocol's word
    upstreams: Sequence[GuardedUpstream],
    works: Works,
) -> PullThroughRegistry:
    """The registry, or one that is closed in its place."""
    try:
        return PullThroughRegistry(spec, format, upstreams, works)
    except ConfigError as error:
        _log.error("registry %r is not served: %s", spec.name, error.message)
        return ClosedRegistry(spec, format, works)


class ClosedRegistry(PullThroughRegistry):
    """Answers all that is asked of it by RegistryClosed. Thread-safe."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        works: Works,
    ) -> None:
        super().__init__(evolve(spec, upstreams=(), ownerships=()), format, (), works)
        self.spec = spec

    def resolve(self, route: Route) -> NoReturn:  # noqa: ARG002
        """Raises RegistryClosed."""
        raise self._closed()

    def describe(self, route: Route) -> NoReturn:  # noqa: ARG002
        """Raises RegistryClosed."""
        raise self._closed()

    def explain(self, path: str) -> NoReturn:  # noqa: ARG002
        """Raises RegistryClosed."""
        raise self._closed()

    def _closed(self) -> RegistryClosed:
        return RegistryClosed(
            f"registry {self.spec.name} cannot be served as it is stored; the server's log says why"
        )
