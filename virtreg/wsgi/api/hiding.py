"""What a rule would hide of what is cached, found out before it exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import evolve, field, frozen

from virtreg.core.rules import Rulebook
from virtreg.errors import VirtregError
from virtreg.formats import named
from virtreg.managed import ManagedUpstream
from virtreg.model import Coordinates, Entry, RegistrySpec, Rule
from virtreg.protocols import EntryIndex, Format, Situates

MOST_COUNTED: Final = 10_001
MOST_TOLD: Final = 100
MOST_LOOKED_AT: Final = 100_000
"""Entries; somebody waits for the answer."""

_AT_ONCE = 1000


@frozen
class Hidden:
    count: int
    """Up to ``MOST_COUNTED``."""
    paths: list[str]
    """The first ``MOST_TOLD``, in order, with a slash before each."""
    complete: bool
    """Whether every entry was looked at that had to be."""


@frozen(eq=False)
class Hiding:
    """Of one upstream."""

    index: EntryIndex
    upstream: ManagedUpstream
    most_looked_at: int = field(default=MOST_LOOKED_AT, kw_only=True)
    _format: Format = field(init=False)

    @_format.default
    def _find_format(self) -> Format:
        return named(self.upstream.format)

    def by(self, rule: Rule) -> Hidden:
        """What its rules let through now and would not with this one. Raises ValueError for a rule
        that cannot be applied."""
        before, after = self._book(()), self._book((rule,))
        count, paths, looked_at = 0, list[str](), 0
        for entry in self._entries():
            looked_at += 1
            if looked_at > self.most_looked_at:
                return Hidden(count, paths, complete=False)
            readings = self._readings(entry)
            if after.denial(0, readings) is None or before.denial(0, readings) is not None:
                continue
            count += 1
            if count <= MOST_TOLD:
                paths.append(f"/{entry.path}")
            if count == MOST_COUNTED:
                break
        return Hidden(count, paths, complete=True)

    def _book(self, more: Sequence[Rule]) -> Rulebook:
        spec = evolve(self.upstream.spec, rules=(*self.upstream.spec.rules, *more))
        targets = self._format.targets if isinstance(self._format, Situates) else ()
        return Rulebook(RegistrySpec(0, "", self.upstream.format, (spec,)), targets)

    def _readings(self, entry: Entry) -> tuple[Coordinates, ...]:
        assert isinstance(self._format, Situates)
        try:
            route = self._format.route(entry.path)
        except VirtregError:
            return ()  # nobody can ask for it
        return self._format.coordinates(route, self.upstream.spec)

    def _entries(self) -> Iterator[Entry]:
        after = ""
        while page := self.index.page(self.upstream.spec.key, after=after, limit=_AT_ONCE):
            yield from page
            after = page[-1].path
