"""Whether the index and the store tell the same, and making them do so.

Nothing is held in memory but a 256th of the store's keys. A server may run meanwhile: what seems to
be wrong is looked at once more before it is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Literal

from attrs import frozen

from virtreg.core.layout import BLOBS, blob_key, sha256_of
from virtreg.errors import Missing
from virtreg.model import Entry
from virtreg.protocols import CacheStore, Inventory, Reclaims
from virtreg.service.agreement import Agreement
from virtreg.service.reclaiming import YOUNG
from virtreg.service.sweeping import AGE

_ROWS = 500
_SHARDS = [f"{number:02x}" for number in range(256)]

Kind = Literal["missing", "size", "damaged", "unreferenced", "uncached"]


@frozen
class Finding:
    """One thing that is wrong."""

    kind: Kind
    """``missing``: an entry's blob is not there. ``size``: it has another size than the entry says.
    ``damaged``: its bytes are not those of its digest. ``unreferenced``: no entry refers to a blob.
    ``uncached``: downloads are counted of what has no entry."""
    source: str = ""
    path: str = ""
    """Of the entry, or of the first of those that share a blob; empty for a blob alone."""
    sha256: str = ""
    size: int = 0
    """Bytes of the blob; of a missing one, those it should have."""

    def __str__(self) -> str:
        of = self.path or f"blob {self.sha256}"
        match self.kind:
            case "missing":
                return f"{of}: its blob {self.sha256} is missing"
            case "size":
                return f"{of}: its blob {self.sha256} has {self.size} bytes, which is wrong"
            case "damaged":
                return f"{of}: the bytes of its blob {self.sha256} are damaged"
            case "unreferenced":
                return f"{of}: nothing refers to it ({self.size} bytes)"
            case "uncached":
                return f"{of}: downloads are counted, and it is not cached"


@frozen
class Checked:
    """How far a check is."""

    entries: int = 0
    blobs: int = 0
    parts: int = 0
    """Of 257."""


class Consistency:
    """Of one index and the store it is about. Not for two threads at once."""

    def __init__(self, index: Inventory, store: CacheStore, clock: Callable[[], float]) -> None:
        self._index = index
        self._store = store
        self._clock = clock
        self._agreement = Agreement(index, store)

    def check(
        self,
        *,
        deep: bool = False,
        age: float = AGE,
        progress: Callable[[Checked], object] = lambda _checked: None,
    ) -> Iterator[Finding]:
        """What is wrong, as it is found. ``deep`` reads every blob. Blobs and downloads of the last
        ``age`` seconds may still be about to have an entry and are left out. Raises StorageError.
        """
        checked = Checked()
        for number, shard in enumerate(_SHARDS, 1):
            blobs = {
                digest: (size, at)
                for key, size, at in self._store.list(f"{BLOBS}{shard}/")
                if (digest := sha256_of(key)) is not None
            }
            entries = 0
            met: set[str] = set()
            for digest, rows in groupby(self._rows(shard), lambda entry: entry.sha256):
                met.add(digest)
                found = blobs.get(digest)
                for place, entry in enumerate(rows):
                    entries += 1
                    if found is None or found[0] != entry.size:
                        yield from self._wrong(entry)
                    elif deep and place == 0 and self._damaged(digest):
                        yield _finding("damaged", entry, entry.size)
            before = self._clock() - age
            for digest, (size, at) in blobs.items():
                if digest not in met and at < before and not self._index.referenced([digest]):
                    yield Finding("unreferenced", sha256=digest, size=size)
            checked = Checked(checked.entries + entries, checked.blobs + len(blobs), number)
            progress(checked)
        yield from self._uncached(self._clock() - age)
        progress(Checked(checked.entries, checked.blobs, len(_SHARDS) + 1))

    def repair(self, finding: Finding) -> bool:
        """Make it good: an entry whose bytes are not there is removed, so that they are fetched
        anew; False when it was good by now, and for a blob that nothing refers to while the index
        does not know of all that the journal tells. Raises StorageError."""
        if finding.kind == "uncached":
            key = (finding.source, finding.path)
            _, last_at = self._index.downloads(*key)
            if last_at is None or self._index.find(finding.path, [finding.source]):
                return False
            return self._index.drop_counts([key], last_at) > 0
        key_of_blob = blob_key(finding.sha256)
        if finding.kind == "unreferenced":
            if not self._agreement.holds() or self._index.referenced([finding.sha256]):
                return False
            if not self._delete_old(key_of_blob):
                return False
            self._index.settle([finding.sha256])
            return True
        # Once more: it may have been fetched anew since it was found.
        if finding.kind in ("damaged", "size") and self._damaged(finding.sha256):
            self._store.delete(key_of_blob)
        return self._drop_without_bytes(finding)

    def _delete_old(self, key: str) -> bool:
        """Spares what was put a moment ago, since somebody is about to refer to it."""
        if isinstance(self._store, Reclaims):
            return self._store.reclaim(key, self._clock() - YOUNG) is not None
        self._store.delete(key)
        return True

    def _rows(self, shard: str) -> Iterator[Entry]:
        """The entries of blobs of a shard, by digest."""
        after = (shard, "", "")
        while page := self._index.by_digest(after, _ROWS):
            for entry in page:
                if not entry.sha256.startswith(shard):
                    return
                yield entry
            last = page[-1]
            after = (last.sha256, last.path, last.source)

    def _wrong(self, entry: Entry) -> Iterator[Finding]:
        """The listing may be older than the entry, or the entry be gone."""
        size = self._size(entry.sha256)
        if size == entry.size or entry not in self._index.find(entry.path, [entry.source]):
            return
        if size is None:
            yield _finding("missing", entry, entry.size)
        else:
            yield _finding("size", entry, size)

    def _uncached(self, upto: float) -> Iterator[Finding]:
        after: tuple[str, str] | None = None
        while True:
            strays, after = self._index.stray_counts(after)
            for source, path, last_at in strays:
                if last_at <= upto:
                    yield Finding("uncached", source, path)
            if after is None:
                return

    def _size(self, digest: str) -> int | None:
        try:
            with self._store.open(blob_key(digest)) as body:
                return body.size
        except Missing:
            return None

    def _damaged(self, digest: str) -> bool:
        """Whether there are bytes, and not the right ones."""
        try:
            with self._store.open(blob_key(digest)) as body:
                hashed = hashlib.sha256()
                for piece in body.read():
                    hashed.update(piece)
        except Missing:
            return False
        return hashed.hexdigest() != digest

    def _drop_without_bytes(self, finding: Finding) -> bool:
        """Remove every entry of a blob that is not there, or has another size than it says."""
        dropped = False
        after = (finding.sha256, "", "")
        while True:
            page = [
                entry
                for entry in self._index.by_digest(after, _ROWS)
                if entry.sha256 == finding.sha256
            ]
            if not page:
                return dropped
            # After the entries were seen: what they refer to was there before them.
            size = self._size(finding.sha256)
            counts = self._index.downloads_of([(each.source, each.path) for each in page])
            wrong = [(each, _last_at(counts, each)) for each in page if each.size != size]
            dropped = bool(self._index.drop_entries(wrong)) or dropped
            after = (page[-1].sha256, page[-1].path, page[-1].source)


def _last_at(counts: Mapping[tuple[str, str], tuple[int, float]], entry: Entry) -> float | None:
    counted = counts.get((entry.source, entry.path))
    return None if counted is None else counted[1]


def _finding(kind: Kind, entry: Entry, size: int) -> Finding:
    return Finding(kind, entry.source, entry.path, entry.sha256, size)
