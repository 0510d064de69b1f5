"""What clients are answered."""

from __future__ import annotations

from attrs import field, frozen

from virtreg.model.digests import Digests
from virtreg.model.exchanges import Headers


@frozen
class Representation:
    """The facts about a body that response headers are made of."""

    size: int | None
    """None while a download of unknown length is still running."""
    digests: Digests = field(factory=dict)
    """Proved digests, or an upstream's claims that will be proved before the last byte leaves."""
    content_type: str | None = None
    """What the upstream called it; a format decides what is said."""
    last_modified: str | None = None
    """An HTTP date (RFC 9110, 5.6.7), the upstream's own where it sent one."""


@frozen
class View:
    """A document as one query wants it."""

    body: bytes
    headers: Headers = ()
    """Besides those of the whole document."""


@frozen
class Problem:
    """An error as one format's clients want to read it."""

    status: int
    headers: Headers
    body: bytes
