"""Another registry of the same server as an upstream.

What it keeps, for how long, and what its rules deny is its own affair: it is asked each time, and
found by its name at that moment, so that a change of it is in force at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from attrs import frozen

from virtreg.core.nesting import MOST_NESTED
from virtreg.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    UpstreamError,
    UpstreamUnavailable,
    VirtregError,
)
from virtreg.model import Route, UpstreamSpec
from virtreg.protocols import Describes, Resolution, VirtualRegistry

Registries = Mapping[str, VirtualRegistry]
"""By name."""


@frozen(eq=False)
class _Journey:
    """The way of one request from registry to registry."""

    registries: Registries
    """As they were when it went from the first to the second. No catalog has a ring, but two
    moments of one may."""
    depth: int


_journey: Final[ContextVar[_Journey | None]] = ContextVar("virtreg_journey", default=None)


class NestedRegistry:
    """The protocol ``LocalSource``. Thread-safe.

    ``registries`` gives those of this moment, ``serves`` tells of a group whether its registries
    are to be served.
    """

    def __init__(
        self,
        spec: UpstreamSpec,
        registries: Callable[[], Registries],
        serves: Callable[[str], bool] = lambda _group: True,
    ) -> None:
        self.spec = spec
        self._registries = registries
        self._serves = serves

    def resolve(self, route: Route) -> Resolution:
        with self._entered() as registry:
            return registry.resolve(route)

    def describe(self, route: Route) -> Resolution:
        with self._entered() as registry:
            if isinstance(registry, Describes):
                return registry.describe(route)
            return registry.resolve(route)

    def close(self) -> None:
        """Whoever made the registry closes it."""

    @contextmanager
    def _entered(self) -> Iterator[VirtualRegistry]:
        before = _journey.get()
        journey = (
            _Journey(self._registries(), 1)
            if before is None
            else _Journey(before.registries, before.depth + 1)
        )
        registry = journey.registries.get(self.spec.registry or "")
        if registry is None:
            raise self._broken("is not there")
        if journey.depth > MOST_NESTED:
            raise self._broken(f"is more than {MOST_NESTED} registries deep")
        token = _journey.set(journey)
        try:
            if not self._serves(registry.spec.group):
                raise self._broken("is switched off")
            yield registry
        except (NotFound, Forbidden, InvalidRequest) as error:
            # What its rules deny is not to be had there; which rule it was is for its own users.
            raise NotFound(f"{self.spec.name} does not have it", path="") from error
        except UpstreamError as error:
            if error.upstream == self.spec.name:
                raise
            raise self._as_ours(error) from error
        except VirtregError as error:
            raise self._broken(f"cannot tell ({error.code})") from error
        finally:
            _journey.reset(token)

    def _as_ours(self, error: UpstreamError) -> UpstreamError:
        """The error of an upstream of the registry's, which is not for everybody to know."""
        return type(error)(
            self._sentence(f"cannot tell ({error.code})"),
            upstream=self.spec.name,
            retry_after=error.retry_after,
        )

    def _broken(self, what: str) -> UpstreamUnavailable:
        return UpstreamUnavailable(self._sentence(what), upstream=self.spec.name)

    def _sentence(self, what: str) -> str:
        name = self.spec.registry
        return f"{self.spec.name}: its registry {f'{name!r} ' if name else ''}{what}"
