"""What a tracer offers to whoever has something to be traced. Without a tracer there is None, and
nobody asks further.

A span is what one part of a request took: open while its ``with`` block runs, and the parent of the
spans that begin meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

Fact = str | int | float | bool


class Span(Protocol):
    """Used by one thread at a time."""

    def tell(self, name: str, value: Fact) -> None:
        """Note a fact under a name."""
        ...

    def fail(self, code: str) -> None:
        """Say that what was tried has failed; ``code`` as in :mod:`virtreg.errors`."""
        ...


class OpenSpan(Span, Protocol):
    """A span that outlives the block it was begun in; ``end`` once, from any thread."""

    def end(self) -> None: ...


class Tracer(Protocol):
    """Thread-safe. Never raises, and never waits for whoever collects the spans."""

    def serving(
        self, name: str, caller: Mapping[str, str], facts: Mapping[str, Fact]
    ) -> AbstractContextManager[Span]:
        """A request that somebody makes of us. ``caller`` are the header fields, names in lower
        case, that may name a trace the request is part of (W3C Trace Context)."""
        ...

    def working(self, name: str, facts: Mapping[str, Fact]) -> AbstractContextManager[Span]:
        """A part of our own work."""
        ...

    def asking(self, name: str, facts: Mapping[str, Fact]) -> AbstractContextManager[OpenSpan]:
        """A request that we make of somebody: inside the block
        :data:`virtreg.correlation.TRACE` names the span. It does not end with the block."""
        ...

    def close(self) -> None:
        """Send what is waiting, for some seconds at most."""
        ...
