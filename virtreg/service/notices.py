"""What processes of one node write to each other on boards, as JSON."""

from __future__ import annotations

from pathlib import Path

import msgspec
from attrs import evolve, frozen

from virtreg import errors
from virtreg.errors import SpoolFull, StorageError, UpstreamError, VirtregError
from virtreg.model import Entry, Representation, Route


@frozen
class ArrivalNotice:
    """A body that is on its way into a file, for the processes that follow it there."""

    file: str
    source: str
    claimed: Representation
    route: Route | None
    expires_at: float
    """Seconds since the epoch, as of the leader's answer."""
    warning: str

    @property
    def path(self) -> Path:
        return Path(self.file)


@frozen
class FailureNotice:
    """Why a body will never be whole."""

    kind: str
    """Name of the class."""
    message: str
    upstream: str = ""
    reason: str = ""
    retry_after: float | None = None

    def error(self) -> VirtregError:
        kind = getattr(errors, self.kind, None)
        if isinstance(kind, type) and issubclass(kind, UpstreamError):
            return kind(
                self.message,
                upstream=self.upstream,
                retry_after=self.retry_after,
                reason=self.reason,
            )
        if kind is SpoolFull:
            return SpoolFull(self.message, retry_after=self.retry_after)
        if isinstance(kind, type) and issubclass(kind, StorageError):
            return StorageError(self.message, retry_after=self.retry_after)
        return VirtregError(self.message, retry_after=self.retry_after)


def arrival_notice(
    file: Path,
    source: str,
    claimed: Representation,
    size: int | None,
    route: Route | None,
    expires_at: float,
    warning: str,
) -> bytes:
    """For :func:`read_arrival`. ``size``: None while it is not known."""
    claimed = evolve(claimed, size=size)
    return _encode(ArrivalNotice(str(file), source, claimed, route, expires_at, warning))


def failure_notice(error: BaseException) -> bytes:
    """For :func:`read_failure`. What is no VirtregError is told by its class alone."""
    if isinstance(error, UpstreamError):
        return _encode(
            FailureNotice(
                type(error).__name__, error.message, error.upstream, error.reason, error.retry_after
            )
        )
    if isinstance(error, VirtregError):
        return _encode(
            FailureNotice(type(error).__name__, error.message, retry_after=error.retry_after)
        )
    return _encode(FailureNotice("VirtregError", f"a download failed: {type(error).__name__}"))


def entry_notice(entry: Entry) -> bytes:
    """For :func:`read_entry`."""
    return _encode(entry)


def read_arrival(note: bytes) -> ArrivalNotice:
    """Raises ValueError."""
    return msgspec.json.decode(note, type=ArrivalNotice)


def read_failure(note: bytes) -> VirtregError:
    """Raises ValueError."""
    return msgspec.json.decode(note, type=FailureNotice).error()


def read_entry(note: bytes) -> Entry:
    """Raises ValueError."""
    return msgspec.json.decode(note, type=Entry)


def _encode(said: object) -> bytes:
    return msgspec.json.encode(said)
