"""One download's facts, and the reply being read."""

from __future__ import annotations

import random

from attrs import define, field, frozen

from virtreg.core.backoff import backoff_delay
from virtreg.errors import IntegrityError
from virtreg.model import Expectation, Route
from virtreg.protocols import Format, Reply
from virtreg.service.asking import FOUND
from virtreg.service.fetching import fetch_of
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

    def again(
        self, *, offset: int = 0, stop: int | None = None, if_range: str | None = None
    ) -> Reply:
        """The same file once more, or its rest, or a range of it. Raises UpstreamError unless it
        is still there."""
        reply = self.upstream.fetch(
            fetch_of(self.route, self.expectation, offset=offset, stop=stop, if_range=if_range)
        )
        if reply.status not in FOUND:
            reply.close()
            raise IntegrityError(
                f"{self.name} no longer has the file it was sending", upstream=self.name
            )
        return reply

    def refuse_beyond_limit(self, size: int) -> None:
        """Raises IntegrityError when the format takes no body of so many bytes."""
        limit = self.expectation.max_bytes
        if limit is not None and size > limit:
            raise IntegrityError(
                f"{self.name} sends more than the {limit} bytes that are taken", upstream=self.name
            )

    def refuse_unlike_promised(self, promised: int | None, size: int) -> None:
        """Raises IntegrityError when a whole body has another length than its headers said."""
        if promised is not None and size != promised:
            raise IntegrityError(
                f"{self.name} promised {promised} bytes and sent {size}", upstream=self.name
            )


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

    def start_over(self, reply: Reply) -> None:
        """Forget what was read; the reply before must be closed."""
        self.reply = reply
        self.buffer.clear()
        self.ended = False


def pause(attempt: int) -> float:
    """Seconds to wait before trying again."""
    return backoff_delay(attempt, random.random())  # noqa: S311 - spreads retries
