"""What happened, as frozen events. An observer is any callable that takes one.

Observers run on the thread where the event happened and must return quickly; what they raise is
logged and dropped. Events never carry credentials.

:class:`AuditEvent` and what derives from it say who did what, or was not let do it; the others say
what happened to files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import frozen

from virtreg.model import Action, Answered


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
    publishing: float = 0.0
    """Of these, the seconds from the last byte until it was kept."""


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
class UpstreamAsked(Event):
    """An upstream answered one question, or did not; ``registry`` is empty. ``path`` is as it was
    asked for."""

    upstream: str
    outcome: str
    """``found``, ``unchanged``, ``absent``, or the code of an error."""
    seconds: float
    """Until the end of the answer's headers, redirects and logins included."""


@frozen
class UpstreamRead(Event):
    """The body of an upstream's answer was read, or given up; ``registry`` is empty."""

    upstream: str
    size: int
    """Bytes that arrived."""
    seconds: float
    """Since the end of the headers."""
    failure: str = ""
    """The code of the error it broke off with; empty for none."""


@frozen
class FillFailed(Event):
    """A download ended without being published: cut for good, corrupt, or more than there is room
    for."""

    upstream: str
    reason: str


@frozen
class Purged(Event):
    """What was cached or remembered about the path was forgotten on request."""


@frozen(kw_only=True)
class AuditEvent(Event):
    """Somebody did something, or was not let do it."""

    registry: str = ""
    """Empty where it is about no registry in particular; so is ``path``."""
    path: str = ""
    actor: str = ""
    """Who did it: a principal's name, ``local:`` and the account of the machine's for commands,
    or empty where nobody is known."""
    token_id: str | None = None
    """Of the token that was shown; public."""
    address: str = ""
    """The peer's, as the server sees it; empty for commands."""


@frozen(kw_only=True)
class SignInFailed(AuditEvent):
    """Credentials were shown and nobody is known by them. Of what was shown nothing is told but
    the door: a user name mistyped is a password now and then."""

    door: str
    """``basic``, ``bearer``, or the name of a header in lower case."""


@frozen(kw_only=True)
class Denied(AuditEvent):
    """Somebody known was not let do something."""

    action: Action
    hidden: bool
    """Whether they were told that there is nothing (404) rather than that they may not (403)."""


@frozen(kw_only=True)
class GrantIssued(AuditEvent):
    """A short-lived token for pulling images was given out."""

    repositories: tuple[str, ...]
    """As ``registry/repository``."""
    seconds: float
    """How long it is good for."""


@frozen(kw_only=True)
class AccessChanged(AuditEvent):
    """A user, a group, a membership or a token was made, changed or removed."""

    subject: Literal["user", "group", "member", "token"]
    target: str
    """Its name. Of a member: ``group/user``. Of a token: its id."""
    change: str
    """A word or two, such as ``added``, ``blocked``, ``revoked``, ``made developer``."""


@frozen(kw_only=True)
class SecretChanged(AuditEvent):
    """A secret kept at rest was set, removed, or sealed with another key."""

    secret: str
    """Its name; empty: all of them."""
    change: Literal["set", "removed", "rotated"]
    upstream: str | None = None
    """The one upstream it is for, if it is for one."""


CatalogSubject = Literal[
    "registry", "upstream", "association", "rule", "ownerships", "cache", "policy", "settings"
]


@frozen(kw_only=True)
class CatalogChanged(AuditEvent):
    """A registry, an upstream or what hangs on one was made, changed or removed, or its cache was
    emptied."""

    subject: CatalogSubject
    target: str
    """Its number. Of a policy and of settings: the name of the group. Of a cache: ``registry`` or
    ``upstream`` and its number, or the path of the one entry."""
    change: str
    """A few words, such as ``added``, ``moved to 2``, ``removed``, ``purged``, or ``changed`` and
    the names of the fields that were sent. Of a rule with its text."""


@frozen(kw_only=True)
class CleanedUp(AuditEvent):
    """A cleanup policy ran."""

    group: str
    entries: int
    """Cached paths that were removed."""
    size: int
    """Bytes that were freed."""
    formats: tuple[tuple[str, int, int], ...] = ()
    """Of each format: its name, entries, bytes."""
    failure: str = ""
    """Why it did not finish; empty when it did."""


Observer = Callable[[Event], None]
