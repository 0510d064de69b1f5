"""What is kept, of which source, under which path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen

from virtreg.model import Entry


class EntryIndex(Protocol):
    """Which source holds which path as which blob."""

    def find(self, path: str, sources: Sequence[str]) -> list[Entry]:
        """The entries of one path, in one query, in any order. The hot path's only query."""
        ...

    def put(self, entries: Sequence[Entry]) -> None:
        """Insert or replace by (source, path), all or none."""
        ...

    def touch(self, source: str, path: str, checked_at: float) -> None:
        """Set ``checked_at`` of one entry; no error when it is gone."""
        ...

    def drop(self, source: str, path: str | None = None) -> int:
        """Remove one entry, or all of a source; the number removed."""
        ...

    def page(
        self, source: str, *, after: str = "", limit: int = 100, search: str = ""
    ) -> list[Entry]:
        """Entries of one source in path order, with path > ``after``, at most ``limit``, whose
        path contains ``search`` (case-insensitive, no wildcards)."""
        ...

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Take or renew a named lease until ``now + seconds``. True exactly when ``holder`` has
        it on return: it was free, expired, or already the holder's. ``seconds`` 0 gives it up."""
        ...


@runtime_checkable
class CountsDownloads(Protocol):
    """Power of an EntryIndex: keep download counts, apart from the entries so that counting never
    disturbs a reader."""

    def count(self, downloads: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        """Add ``(source, path) -> (times, last_at)`` to what is kept."""
        ...

    def downloads(self, source: str, path: str) -> tuple[int, float | None]:
        """``(times, last_at)``; ``(0, None)`` when never downloaded."""
        ...


@runtime_checkable
class KnowsDigests(Protocol):
    """Power of an EntryIndex: find a body that came from a source under any path."""

    def holding(self, source: str, sha256: str) -> Entry | None:
        """Some entry of the source with this digest; one cheap query."""
        ...


@runtime_checkable
class KnowsReferences(Protocol):
    """Power of an EntryIndex: tell which blobs are still needed."""

    def referenced(self, digests: Sequence[str]) -> set[str]:
        """Those of the given sha256 digests that some entry refers to."""
        ...


@runtime_checkable
class KnowsUse(Protocol):
    """Power of an EntryIndex: tell what is kept, how much it is, and when it was last wanted."""

    def recent(
        self, source: str, *, search: str = "", limit: int = 20, offset: int = 0
    ) -> tuple[list[Entry], int]:
        """Entries of one source whose path contains ``search`` (as in ``page``), newest first,
        and how many there are: more than 10,000 are told as 10,001."""
        ...

    def downloads_of(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[int, float]]:
        """``(source, path) -> (times, last_at)`` of those that were ever downloaded."""
        ...

    def usage(self) -> Mapping[str, tuple[int, int]]:
        """``source -> (entries, bytes)``; a blob counts once for each source that has it."""
        ...

    def used(self, sources: Sequence[str]) -> int:
        """Bytes that these sources keep together; a blob counts once."""
        ...


@runtime_checkable
class Evicts(Protocol):
    """Power of an EntryIndex: remove what is wanted least, a little at a time.

    The digests of what these methods remove are ``loose`` until they are ``settled``, so that
    blobs are freed even if the process ends in between.
    """

    def least_recent(
        self, sources: Sequence[str], between: Callable[[], object] = lambda: None
    ) -> Iterator[tuple[Entry, float | None]]:
        """Entries of these sources with the time of their last download, the longest unused first:
        one that was never downloaded counts from ``created_at``. Lazily, with memory for some
        hundred entries of each source; what changes meanwhile may be met again. ``between`` is
        called now and then while it is looked for, which can take long; what it raises is raised.
        """
        ...

    def drop_entries(self, seen: Sequence[tuple[Entry, float | None]]) -> list[Entry]:
        """Remove entries, with their download counts, in one short transaction; those removed.
        Spares what has changed, or was downloaded, since it was seen so."""
        ...

    def drop_some(self, source: str, limit: int) -> int:
        """Remove up to ``limit`` entries of a source, with their download counts, in one short
        transaction; the number removed."""
        ...

    def loose(self, *, after: str = "", limit: int = 500) -> list[str]:
        """Digests > ``after``, in order, of which an entry was removed."""
        ...

    def settle(self, digests: Sequence[str]) -> None:
        """Their blobs have been looked at."""
        ...

    def referenced_in(self, sources: Sequence[str], digests: Sequence[str]) -> set[str]:
        """Those of the given sha256 digests that some entry of these sources refers to."""
        ...

    def stray_counts(
        self, after: tuple[str, str] | None = None, limit: int = 1000
    ) -> tuple[list[tuple[str, str, float]], tuple[str, str] | None]:
        """Of the next ``limit`` download counts, ``(source, path, last_at)`` of those that have no
        entry, and what to go on ``after``, None at the end."""
        ...

    def drop_counts(self, keys: Sequence[tuple[str, str]], upto: float) -> int:
        """Forget download counts, by (source, path), of downloads up to that time; the number
        forgotten."""
        ...


@runtime_checkable
class ListsByDigest(Protocol):
    """Power of an EntryIndex: be compared with a store."""

    def by_digest(
        self, after: tuple[str, str, str] = ("", "", ""), limit: int = 500
    ) -> list[Entry]:
        """Entries in order of (sha256, path, source), beyond ``after``."""
        ...


@frozen
class Change:
    """An entry of this source and path was put or removed."""

    source: str
    path: str
    mark: int
    """Another one each time."""


@runtime_checkable
class Journals(Protocol):
    """Power of an EntryIndex: remember which entries have changed, in the transaction in which they
    do, until that is written to the journal beside the blobs; and how far the journal is.

    A ``touch`` is no change.
    """

    def changes(self, limit: int = 1000) -> list[tuple[Change, Entry | None]]:
        """Some changes, each with the entry as it is now, None where there is none any more."""
        ...

    def journalled(self, done: Sequence[Change], head: str) -> None:
        """Forget changes, but for entries that have changed again since; ``head`` is the note that
        was written last, unless another one is intended by now: whoever intended that one was not
        waiting for this."""
        ...

    def intend(self, note: str) -> None:
        """The journal's next note will have this name."""
        ...

    def journal(self) -> tuple[str, str]:
        """``(head, next)``: the note of the journal that was written last, and the one that was
        intended last; empty before there are any. An index that was lost, or is restored from a
        backup, does not know of the notes that are there."""
        ...

    def everything(self, after: tuple[str, str] = ("", ""), limit: int = 1000) -> list[Entry]:
        """Entries in order of (path, source), beyond ``after``."""
        ...


class Inventory(
    EntryIndex, CountsDownloads, KnowsReferences, KnowsUse, Evicts, ListsByDigest, Protocol
):
    """An EntryIndex that can be cleaned up and checked."""
