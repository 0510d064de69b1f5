"""Which entries of a group go: the longest unused first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from virtreg.managed import Reclaimed
from virtreg.model import Entry
from virtreg.protocols import Inventory
from virtreg.service.batches import Batches

Seen = tuple[Entry, float | None]


class Interrupted(Exception):
    """The process is stopping."""


class Tally:
    """What was removed so far. ``sources`` are those of the group, with their formats."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        self.by_format: dict[str, Reclaimed] = {}

    def add(self, entry: Entry, freed: int) -> None:
        name = self.sources[entry.source]
        before = self.by_format.get(name, Reclaimed())
        self.by_format[name] = Reclaimed(before.entries + 1, before.size + freed)


class Eviction:
    """Of one run, on one thread. ``checked`` is called before each batch, ``between`` while the
    next one is looked for; what they raise ends the run."""

    def __init__(
        self,
        index: Inventory,
        batches: Batches,
        tally: Tally,
        checked: Callable[[], None],
        between: Callable[[], None],
    ) -> None:
        self._index = index
        self._batches = batches
        self._tally = tally
        self._checked = checked
        self._between = between
        self._sources = list(tally.sources)

    def unwanted(self, before: float) -> None:
        """Remove what was last wanted before that time. Raises StorageError."""
        for batch in self._cut(self._until(before), lambda _batch: False):
            self._remove(batch)

    def down_to(self, keep: int) -> None:
        """Remove what was wanted least recently until the group keeps no more than that many bytes.
        Raises StorageError."""
        excess = self._index.used(self._sources) - keep
        if excess <= 0:
            return

        def enough(batch: Sequence[Seen]) -> bool:
            return sum({entry.sha256: entry.size for entry, _ in batch}.values()) >= excess

        for batch in self._cut(self._least_recent(), enough):
            gone = {entry.sha256: entry.size for entry in self._remove(batch)}
            kept = self._index.referenced_in(self._sources, list(gone))
            excess -= sum(size for digest, size in gone.items() if digest not in kept)
            if excess <= 0:
                return

    def _least_recent(self) -> Iterator[Seen]:
        return self._index.least_recent(self._sources, self._between)

    def _until(self, before: float) -> Iterator[Seen]:
        for entry, last_at in self._least_recent():
            if (entry.created_at if last_at is None else last_at) >= before:
                return
            yield entry, last_at

    def _cut(
        self, going: Iterable[Seen], enough: Callable[[Sequence[Seen]], bool]
    ) -> Iterator[Sequence[Seen]]:
        batch: list[Seen] = []
        for seen in going:
            batch.append(seen)
            if len(batch) >= self._batches.size or enough(batch):
                yield batch
                batch = []
        if batch:
            yield batch

    def _remove(self, batch: Sequence[Seen]) -> Sequence[Entry]:
        self._checked()
        dropped, freed = self._batches.remove(batch)
        left = dict(freed)
        for entry in dropped:
            self._tally.add(entry, left.pop(entry.sha256, 0))
        return dropped
