"""The error tree.

Every class owns the HTTP status it hints at (``status``) and a stable wire code (``code``).
Only :mod:`virtreg.wsgi` turns these into responses, through ``Format.problem``; nothing ever
decides a status by reading a message. Messages never carry credentials, and no URL in them has
user information or a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from virtreg.model import Answered, AnswerOutcome

__all__ = [
    "Barred",
    "ConfigError",
    "Conflict",
    "EgressRefused",
    "Forbidden",
    "IndexUnavailable",
    "IntegrityError",
    "Invalid",
    "InvalidRequest",
    "Missing",
    "NoRoom",
    "NotFound",
    "Offline",
    "OutOfDate",
    "Overloaded",
    "RegistryClosed",
    "SpoolFull",
    "StorageError",
    "StoreUnavailable",
    "Unauthenticated",
    "UpstreamBusy",
    "UpstreamDenied",
    "UpstreamError",
    "UpstreamRefused",
    "UpstreamThrottled",
    "UpstreamTimeout",
    "UpstreamUnavailable",
    "VirtregError",
]


class VirtregError(Exception):
    """Root of everything virtreg raises on purpose.

    ``answers`` lists what each upstream said, best position first, when the error comes from
    asking them. ``retry_after`` is in seconds, or None when waiting is not known to help.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        answers: Sequence[Answered] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.answers: tuple[Answered, ...] = tuple(answers)
        self.retry_after = retry_after


class InvalidRequest(VirtregError):
    """The request itself is malformed: a path, a header or a document out of its grammar."""

    status = 400
    code = "invalid_request"


class Invalid(InvalidRequest):
    """A change that what is stored does not allow.

    ``fields`` says what is wrong, by the field's name, each a text that follows the name, such as
    ``has already been taken``.
    """

    code = "invalid"

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(f"{name} {text}" for name in fields for text in fields[name]))
        self.fields = {name: tuple(texts) for name, texts in fields.items()}


class Unauthenticated(VirtregError):
    """Credentials are missing, unknown or expired; the answer carries a challenge.

    ``reason`` is the challenge's ``error`` where a bearer token was shown (RFC 6750, 3.1): clients
    that keep tokens ask for another one only if they are told.
    """

    status = 401
    code = "unauthenticated"

    def __init__(
        self,
        message: str,
        *,
        answers: Sequence[Answered] = (),
        retry_after: float | None = None,
        reason: Literal["", "invalid_token", "insufficient_scope"] = "",
    ) -> None:
        super().__init__(message, answers=answers, retry_after=retry_after)
        self.reason = reason


class Forbidden(VirtregError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"


class Barred(Forbidden):
    """Rules keep every upstream of the registry from answering for the path; ``answers`` says
    which rule does."""

    code = "barred"


class NotFound(VirtregError):
    """Absent: every upstream asked said 404 or 410, or there is no such registry.

    ``expires_at`` says until when this very answer may be repeated without asking again; ``path``
    is the canonical path asked for, empty when it is not about a path of a registry.
    """

    status = 404
    code = "not_found"

    def __init__(
        self,
        message: str,
        *,
        answers: Sequence[Answered] = (),
        retry_after: float | None = None,
        expires_at: float = 0,
        path: str = "",
    ) -> None:
        super().__init__(message, answers=answers, retry_after=retry_after)
        self.expires_at = expires_at
        self.path = path


class Conflict(VirtregError):
    """The change contradicts what is stored."""

    status = 409
    code = "conflict"


class OutOfDate(VirtregError):
    """What was to be changed has changed since the caller looked (RFC 9110, 13.1.4)."""

    status = 412
    code = "precondition_failed"


class ConfigError(VirtregError):
    """The configuration cannot be used; raised only while starting.

    The message names the file and the key.
    """

    code = "config_error"


class UpstreamError(VirtregError):
    """An upstream gave no usable answer. ``upstream`` is its configured name.

    ``reason`` is what happened, without the path that was asked for: the message, unless given.
    ``barred`` says that its setting ``on_error`` alone kept other upstreams from answering.

    Never means "absent": absence is a value, not an exception.
    """

    status = 502
    code = "upstream_error"
    outcome: ClassVar[AnswerOutcome] = "unavailable"

    def __init__(
        self,
        message: str,
        *,
        upstream: str = "",
        answers: Sequence[Answered] = (),
        retry_after: float | None = None,
        reason: str = "",
        barred: bool = False,
    ) -> None:
        super().__init__(message, answers=answers, retry_after=retry_after)
        self.upstream = upstream
        self.reason = reason or message
        self.barred = barred


class UpstreamUnavailable(UpstreamError):
    """Connection refused or cut, a name that does not resolve, a 5xx, or an open breaker."""

    code = "upstream_unavailable"
    outcome = "unavailable"


class Offline(UpstreamUnavailable):
    """Upstreams are not to be asked, and what was asked for is not held (RFC 9111, 5.2.1.7)."""

    status = 504
    code = "offline"


class UpstreamTimeout(UpstreamError):
    """No connection, no first byte, or no end of the body within the configured limits."""

    status = 504
    code = "upstream_timeout"
    outcome = "timeout"


class UpstreamRefused(UpstreamError):
    """The upstream said 401 or 403."""

    code = "upstream_refused"
    outcome = "refused"


class UpstreamDenied(UpstreamRefused):
    """The upstream's token service gave a token, and the upstream said 401 or 403 to it: the
    credentials are good and do not reach this path, or there is no such path. Registries do not
    say which. Or the token service gives nobody without credentials a token for this path."""

    code = "upstream_denied"


class EgressRefused(UpstreamRefused):
    """We would not ask: the address, or where it redirects to, is not allowed by the egress
    policy. Never read as absence, whatever ``on_refused`` says: nobody was asked."""

    code = "egress_refused"


class UpstreamBusy(UpstreamError):
    """Every connection the upstream is allowed was taken for as long as we wait; nobody was
    asked, so nothing is known about the upstream's health."""

    status = 503
    code = "upstream_busy"


class UpstreamThrottled(UpstreamError):
    """The upstream said 429, or 503 with ``Retry-After``."""

    status = 503
    code = "upstream_throttled"
    outcome = "throttled"


class IntegrityError(UpstreamError):
    """The upstream's bytes are not what they must be: digest, length, or kind of content."""

    code = "upstream_corrupt"
    outcome = "corrupt"


class Overloaded(VirtregError):
    """So many requests wait for upstreams, or send what is large, that no more can."""

    status = 503
    code = "overloaded"


class StorageError(VirtregError):
    """The cache itself failed: disk full, bucket denied, database gone.

    ``detail`` is where and why, for who runs the server: it is in the error's text, and in no
    answer, since it may name hosts and accounts.
    """

    status = 503
    code = "storage_error"

    def __init__(
        self,
        message: str,
        *,
        answers: Sequence[Answered] = (),
        retry_after: float | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message, answers=answers, retry_after=retry_after)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message}: {self.detail}" if self.detail else self.message


class Missing(StorageError):
    """The store does not hold this key. Internal: callers refill instead of failing."""

    code = "missing"


class RegistryClosed(VirtregError):
    """What is stored of the registry cannot be served; all others can."""

    status = 503
    code = "registry_closed"


class NoRoom(StorageError):
    """The cache keeps no more for now. Internal: what was fetched is served all the same."""

    code = "no_room"


class SpoolFull(StorageError):
    """The disk takes no more of a download. Internal: its readers go on without the disk."""


class StoreUnavailable(StorageError):
    """Bodies that are kept cannot be read for now."""

    code = "store_unavailable"


class IndexUnavailable(StorageError):
    """The entry index cannot be asked."""

    code = "index_unavailable"
