"""What upstreams are asked, and what they say."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from virtreg.model.digests import Algorithm, Digests

Headers = tuple[tuple[str, str], ...]
"""Response headers in order; names in their canonical spelling."""

Query = tuple[tuple[str, str], ...]
"""The pairs of a URL's query in order, decoded."""


@frozen
class Expectation:
    """What a format wants of the upstream exchange for one route."""

    accept: str = "*/*"
    """The ``Accept`` header sent upstream, whatever the client sent."""
    max_bytes: int | None = None
    """A larger body is refused as corrupt."""
    sidecars: tuple[tuple[Algorithm, str], ...] = ()
    """Paths beside the body whose text claims a digest, strongest wish first. The first that
    exists is compared; none existing is no claim."""
    prefix: str = ""
    """Put before every path an upstream is asked for, such as ``v2/``; never part of a key."""
    query: Query = ()
    """Asked with the path."""
    scope: str | None = None
    """What a token must allow, such as ``repository:<name>:pull``. With it, the upstream's
    credentials are not sent at once but as its challenge asks."""
    metered: bool = False
    """A GET counts against the quota that the upstream tells in ``ratelimit-*`` headers."""
    head_alone: bool = False
    """A HEAD of what is not cached is answered from the upstream's own HEAD: fetching such a body
    for its headers would be a waste."""
    digests: frozenset[Algorithm] = frozenset(Algorithm)
    """Digests that the body is kept with, besides SHA-256 and those that are claimed. All of them
    together cost several times what a download does."""


@frozen
class Validators:
    """An upstream's own validators for a body, as it sent them."""

    etag: str | None = None
    last_modified: str | None = None


@frozen
class Fetch:
    """One request to an upstream."""

    path: str
    """Below the upstream's URL, decoded."""
    method: Literal["GET", "HEAD"] = "GET"
    accept: str = "*/*"
    known: Validators | None = None
    """Sent as ``If-None-Match`` / ``If-Modified-Since``; the answer may then be 304."""
    offset: int = 0
    """Resume: sent as ``Range: bytes=<offset>-``; the answer may then be 206."""
    stop: int | None = None
    """With it, the bytes ``offset <= i < stop`` alone are asked for."""
    if_range: str | None = None
    """The strong validator that makes a resume safe (RFC 9110, 13.1.5)."""
    headers: Headers = ()
    """Further request headers of the format. Never credentials."""
    query: Query = ()
    scope: str | None = None
    """As in :class:`Expectation`."""
    metered: bool = False
    """As in :class:`Expectation`."""
    bulk: bool = False
    """The body may be long: it leaves some of the upstream's connections to what is not."""


@frozen
class Examination:
    """A format's verdict on an upstream's answer, from its headers and first bytes."""

    claims: Digests = field(factory=dict)
    """Digests the upstream claims in headers, to be proved before the body is published."""
    refusal: str | None = None
    """Why this cannot be the file asked for (an HTML page for a POM), or None."""
    content_type: str | None = None
    """What the body is where the upstream's own header does not say; None keeps the header."""


AnswerOutcome = Literal[
    "found", "absent", "denied", "refused", "throttled", "timeout", "unavailable", "corrupt"
]
"""``denied``: not asked, since a rule of this registry keeps it from answering."""


@frozen
class Answered:
    """What one upstream said during a walk, for error bodies and logs."""

    upstream: str
    outcome: AnswerOutcome
    detail: str = ""
    """One line for a person, such as ``404 Not Found`` or ``no first byte in 10 s``."""


@frozen
class Quota:
    """What an upstream says of the requests it still takes."""

    limit: int | None
    """Requests a window allows."""
    remaining: int | None
    window: float | None
    """Seconds."""
