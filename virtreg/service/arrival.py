"""A body that has just been asked for, seen by everybody who waits for it."""

from __future__ import annotations

from concurrent.futures import Future

from attrs import define, evolve, field

from virtreg.model import Entry, Representation
from virtreg.protocols import Body
from virtreg.service.bodies import BytesBody
from virtreg.service.spool import Ahead, Growing, SpoolBody


@define(eq=False)
class Arrival:
    """Either all there and proved (``data``), or on its way into a spool."""

    source: str
    claimed: Representation
    """What was known when the first byte could go out."""
    data: bytes | None = None
    spool: Growing | None = None
    ahead: Ahead | None = field(default=None, repr=False)
    """Where readers far ahead of the spool get their bytes."""
    entry: Future[Entry] = field(factory=Future, repr=False)
    """Set once the body is proved and all digests are known; fails with the download."""

    def representation(self) -> Representation:
        """The best known facts at this moment."""
        if self.entry.done() and self.entry.exception() is None:
            return representation_of(self.entry.result())
        assert self.spool is not None
        return evolve(self.claimed, size=self.spool.size)

    def body(self) -> Body:
        """Raises Missing when the download is over and its spool closed; ``entry`` tells how it
        ended."""
        if self.data is not None:
            return BytesBody(self.data)
        assert self.spool is not None
        return SpoolBody(self.spool, self.ahead)


def representation_of(entry: Entry) -> Representation:
    return Representation(entry.size, entry.digests, entry.content_type, entry.last_modified)
