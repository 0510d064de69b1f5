"""Where bodies are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, runtime_checkable


class Body(Protocol):
    """Bytes that can be read from any place, any number of times, by any thread, until closed."""

    @property
    def size(self) -> int | None:
        """Bytes in all; None while that is not known yet."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes ``start <= i < stop`` (to the end when None) in pieces of at most
        256 KiB, waiting for bytes that are still arriving.

        Raises the reason when the body will never be whole, before the last byte is yielded.
        """
        ...

    def close(self) -> None:
        """Give back what is held; repeatable."""
        ...

    # Given to implementations that inherit the protocol.

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@runtime_checkable
class HasFile(Protocol):
    """Power of a Body: it is exactly one regular file."""

    def file(self) -> BinaryIO:
        """An open file at offset 0, owned by the caller, for ``wsgi.file_wrapper``."""
        ...


@runtime_checkable
class Defers(Protocol):
    """Power of a Body: its store was not asked for it yet."""

    def deferred(self) -> bool:
        """Whether nothing of it was read so far. The first read asks, and raises Missing when the
        store does not hold the blob after all."""
        ...


class CacheStore(Protocol):
    """Content-addressed blobs. Keys come from :mod:`virtreg.core.layout`, never from a client."""

    def open(self, key: str) -> Body:
        """The whole blob; raises Missing when the store does not hold it."""
        ...

    def put(self, key: str, content: Path | bytes) -> None:
        """Publish a finished, verified blob: all or nothing, durable on return, and harmless when
        the key exists already. A path's file may be moved away; its open descriptors stay good.
        Renews the blob's ``modified_at``.
        """
        ...

    def delete(self, key: str) -> None:
        """Forget a blob; no error when absent. Bodies already open stay readable where the
        storage allows it, else they raise StorageError, never wrong bytes."""
        ...

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        """Every ``(key, size, modified_at)`` under the prefix, in any order, lazily."""
        ...


@runtime_checkable
class Spools(Protocol):
    """Power of a CacheStore: a folder from which ``put`` is a rename."""

    def spool(self) -> Path: ...


@runtime_checkable
class Reclaims(Protocol):
    """Power of a CacheStore: delete what is old, and only that."""

    def reclaim(self, key: str, before: float) -> int | None:
        """Delete a blob that was last put before that time (seconds since the epoch), as ``delete``
        does. Its size in bytes; None, with nothing deleted, when it was put later or is absent."""
        ...


@runtime_checkable
class OpensKnown(Protocol):
    """Power of a CacheStore: open without asking. For stores that are far away."""

    def open_known(self, key: str, size: int) -> Body:
        """A blob of which somebody knows that it is held and has ``size`` bytes, most likely. As
        ``open``, but the store need not look: then the body is one that Defers. Who reads such a
        body whole, from its start, gets the bytes of its key or, before the last piece, Missing."""
        ...


@runtime_checkable
class TellsHealth(Protocol):
    """Power of a CacheStore: it knows when asking it is in vain."""

    def available(self) -> bool:
        """False while calls fail at once with a StorageError whose ``retry_after`` says for how
        long, because earlier ones have failed. True again when it is worth trying. Asks nobody,
        costs next to nothing."""
        ...


@runtime_checkable
class Presigns(Protocol):
    """Power of a CacheStore: links by which whoever has one reads a blob from where it is kept."""

    def presign(self, key: str, size: int, media_type: str, seconds: int) -> str | None:
        """An ``https:`` or ``http:`` URL that answers GET, with a range or without, by the blob of
        ``size`` bytes as ``media_type``, for ``seconds`` from now at most; None where there are no
        such links. It is a secret: never log it.

        Raises Missing when the store does not hold such a blob, StorageError when it cannot be
        asked.
        """
        ...


@runtime_checkable
class Notes(Protocol):
    """Power of a CacheStore that outlives its process: keep documents of some megabytes beside the
    blobs, under names that :func:`virtreg.core.layout.is_note` allows."""

    def write_note(self, name: str, content: bytes) -> None:
        """Keep a note, in place of an older one of that name: all or nothing, durable on return.
        Raises StorageError."""
        ...

    def read_note(self, name: str) -> bytes:
        """Raises Missing and StorageError."""
        ...

    def notes(self) -> Sequence[str]:
        """The names there are, in order of code points; every note that was written before the
        call is among them. Raises StorageError."""
        ...

    def remove_note(self, name: str) -> None:
        """No error when there is none. Raises StorageError."""
        ...
