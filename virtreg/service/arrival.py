"""A body that has just been asked for, seen by everybody who waits for it."""

from __future__ import annotations

from concurrent.futures import Future

from attrs import define, evolve, field

from virtreg.errors import Missing, SpoolFull
from virtreg.model import Entry, Representation
from virtreg.protocols import Body
from virtreg.service.bodies import BytesBody
from virtreg.service.onward import Onward, PassingBody, PerseveringBody
from virtreg.service.spool import Ahead, Growing, SpoolBody


@define(eq=False)
class Arrival:
    """All there and proved (``data``), or on its way into a spool, or, without one, passing through
    to each reader."""

    source: str
    claimed: Representation
    """What was known when the first byte could go out."""
    data: bytes | None = None
    spool: Growing | None = None
    ahead: Ahead | None = field(default=None, repr=False)
    """Where readers far ahead of the spool get their bytes."""
    passing: Onward | None = field(default=None, repr=False)
    """How readers get the body without a spool, or when the disk takes no more of it."""
    entry: Future[Entry] = field(factory=Future, repr=False)
    """Set once the body is proved and all digests are known; fails with the download."""

    def representation(self) -> Representation:
        """The best known facts at this moment."""
        if self.entry.done() and self.entry.exception() is None:
            return representation_of(self.entry.result())
        grown = self.passing if self.spool is None else self.spool
        assert grown is not None
        return evolve(self.claimed, size=grown.size)

    def body(self) -> Body:
        """Raises Missing when the download is over and its spool closed; ``entry`` tells how it
        ended."""
        if self.data is not None:
            return BytesBody(self.data)
        if self.spool is not None:
            try:
                first = SpoolBody(self.spool, self.ahead)
            except Missing:
                if not self._spool_full():
                    raise
            else:
                return first if self.passing is None else PerseveringBody(first, self.passing)
        assert self.passing is not None
        return PassingBody(self.passing)

    @property
    def passes(self) -> bool:
        """Whether nothing of it comes to be kept."""
        return self.data is None and self.spool is None

    def proved(self) -> Entry:
        """The entry, once it is known. Raises what the download failed with, or the upstream where
        nobody else reads what passes through."""
        if self.passes and not self.entry.done():
            assert self.passing is not None
            for _ in self.passing.read(0, None):
                pass
        return self.entry.result()

    def _spool_full(self) -> bool:
        """Whether the download has ended because the disk takes no more of it."""
        failed = self.entry.exception() if self.entry.done() else None
        return self.passing is not None and isinstance(failed, SpoolFull)


def representation_of(entry: Entry) -> Representation:
    return Representation(entry.size, entry.digests, entry.content_type, entry.last_modified)
