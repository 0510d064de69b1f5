"""Upstreams that are on this server. There is no network to guard against, and nothing to keep:
what they have is lent, and is theirs to keep."""

from __future__ import annotations

import logging
from collections.abc import Callable

from attrs import evolve, frozen

from virtreg.errors import NotFound, UpstreamError, UpstreamUnavailable, VirtregError
from virtreg.model import Algorithm, Answered, Entry, Fetch, Route, UpstreamSpec
from virtreg.protocols import LocalSource, Reply, Resolution
from virtreg.service.asking import Heard, answered
from virtreg.service.digesting import digest
from virtreg.service.health import GuardedUpstream
from virtreg.service.resolution import Resolved

_log = logging.getLogger(__name__)


class LocalUpstream(GuardedUpstream):
    """Has no breaker: one path that is broken there says nothing of the next. Asked offline, too.
    Thread-safe."""

    def __init__(self, source: LocalSource, clock: Callable[[], float]) -> None:
        super().__init__(_ByRouteAlone(source), clock)
        self._source = source

    def resolve(self, route: Route) -> Resolved:
        """What it has, never to be repeated without asking again. Raises NotFound and
        UpstreamError."""
        found = self._asked(self._source.resolve, route)
        if isinstance(found, Resolved):
            return evolve(found, expires_at=0.0)
        return Resolved(
            found.route,
            found.source,
            found.representation,
            found.body,
            found.origin,
            0.0,
            warning=found.warning,
        )

    def ask(self, position: int, route: Route) -> Heard:
        """As :func:`virtreg.service.asking.ask`."""
        try:
            found = self.resolve(route)
        except (NotFound, UpstreamError) as error:
            return self._without(position, error)
        answer = Answered(self.spec.name, "found", found.origin)
        return Heard(position, answer, facts=found.representation, lent=found)

    def ask_facts(self, position: int, route: Route) -> Heard:
        """As :meth:`ask`, for the facts alone."""
        try:
            found = self._asked(self._source.describe, route)
        except (NotFound, UpstreamError) as error:
            return self._without(position, error)
        found.body.close()
        answer = Answered(self.spec.name, "found", found.origin)
        return Heard(position, answer, facts=found.representation)

    def _without(self, position: int, error: NotFound | UpstreamError) -> Heard:
        if isinstance(error, NotFound):
            return Heard(position, Answered(self.spec.name, "absent", "not there"))
        return Heard(position, answered(self.spec.name, error), error=error)

    def _asked(self, ask: Callable[[Route], Resolution], route: Route) -> Resolution:
        try:
            return ask(route)
        except VirtregError:
            raise
        except Exception as error:
            # A part of the server broke its contract; others can still answer.
            _log.exception("%s failed", self.spec.name)
            raise UpstreamUnavailable(
                f"{self.spec.name} failed: {type(error).__name__}", upstream=self.spec.name
            ) from error


@frozen(eq=False)
class _ByRouteAlone:
    """The protocol ``Upstream`` of what has no URLs."""

    _source: LocalSource

    @property
    def spec(self) -> UpstreamSpec:
        return self._source.spec

    def fetch(self, request: Fetch) -> Reply:  # noqa: ARG002
        """Raises UpstreamError."""
        raise UpstreamError(
            f"{self.spec.name} is on this server and has no URLs", upstream=self.spec.name
        )

    def close(self) -> None:
        self._source.close()


def passing_entry(source: str, path: str, document: bytes, now: float) -> Entry:
    """What an index would keep of a document that is not kept: enough to tell it from others."""
    digests = digest([document], [Algorithm.SHA256])
    return Entry(
        source=source,
        path=path,
        sha256=digests[Algorithm.SHA256],
        size=len(document),
        sha1="",
        md5="",
        sha512="",
        content_type=None,
        etag=None,
        last_modified=None,
        created_at=now,
        checked_at=now,
    )
