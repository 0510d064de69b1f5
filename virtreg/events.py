"""What happened, as frozen events. An observer is any callable that takes one.

Observers run on the thread where the event happened and must return quickly; what they raise is
logged and dropped. Events never carry credentials.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from virtreg.model import Answered


@frozen
class Event:
    registry: str
    path: str


@frozen
class Filled(Event):
    """A body was downloaded, verified and published."""

    upstream: str
    size: int
    seconds: float


@frozen
class Revalidated(Event):
    """A stale entry was checked; ``changed`` says whether new bytes replaced it."""

    upstream: str
    changed: bool


@frozen
class ServedStale(Event):
    """An entry past its validity was served because its upstream could not be asked."""

    upstream: str
    reason: str


@frozen
class Merged(Event):
    """A document was built from several upstreams."""

    members: int
    left_out: tuple[str, ...]


@frozen
class UpstreamFailed(Event):
    """An upstream gave no usable answer."""

    answer: Answered


@frozen
class FillFailed(Event):
    """A download ended without being published: cut for good, or corrupt."""

    upstream: str
    reason: str


@frozen
class Purged(Event):
    """What was cached or remembered about the path was forgotten on request."""


Observer = Callable[[Event], None]
