"""One download's facts, and the reply being read."""

from __future__ import annotations

import random

from attrs import define, field, frozen

from virtreg.core.backoff import backoff_delay
from virtreg.errors import IntegrityError
from virtreg.model import Expectation, Fetch, Route
from virtreg.protocols import Format, Reply
from virtreg.service.asking import FOUND
from virtreg.service.health import GuardedUpstream
from virtreg.service.spool import PIECE

ATTEMPTS = 4
"""Tries in a row without a single new byte before a broken transfer is given up."""


@frozen
class Exchange:
    """Everything one download needs to know."""

    upstream: GuardedUpstream
    route: Route
    format: Format
    expectation: Expectation

    @property
    def name(self) -> str:
        return self.upstream.spec.name

    def again(self, *, offset: int = 0, if_range: str | None = None) -> Reply:
        """The same file once more, or its rest. Raises UpstreamError unless it is still there."""
        reply = self.upstream.fetch(
            Fetch(
                self.route.path,
                accept=self.expectation.accept,
                offset=offset,
                if_range=if_range,
            )
        )
        if reply.status not in FOUND:
            reply.close()
            raise IntegrityError(
                f"{self.name} no longer has the file it was sending", upstream=self.name
            )
        return reply


@define
class Reading:
    """A reply being read, with the bytes read so far that nobody has taken."""

    reply: Reply
    buffer: bytearray = field(factory=bytearray)
    ended: bool = False

    def fill(self, wanted: int) -> None:
        """Read until ``wanted`` bytes are buffered or the body ends."""
        while len(self.buffer) < wanted and not self.ended:
            data = self.reply.read(PIECE)
            self.buffer += data
            self.ended = not data


def pause(attempt: int) -> float:
    """Seconds to wait before trying again."""
    return backoff_delay(attempt, random.random())  # noqa: S311 - spreads retries
