"""What must be done, told before it is done."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Literal

from attrs import define, field, frozen

Mark = Literal["+", "-", "~"]


class Phase(enum.IntEnum):
    """When: nothing is removed before what takes its place is there, except to make room."""

    REGISTRIES = 1
    ROOM = 2
    """Upstreams leave registries, and those that nobody wants leave altogether."""
    UPSTREAMS = 3
    RULES = 4
    ORDER = 5
    OWNERSHIPS = 6
    REMOVALS = 7


@frozen
class Line:
    mark: Mark
    text: str

    def __str__(self) -> str:
        return f"{self.mark} {self.text}"


@define(eq=False)
class Plan:
    """Lines for people, and steps in phases."""

    lines: list[Line] = field(factory=list)
    _steps: list[tuple[Phase, Callable[[], None]]] = field(factory=list)

    def tell(self, mark: Mark, text: str) -> None:
        self.lines.append(Line(mark, text))

    def do(self, phase: Phase, step: Callable[[], None]) -> None:
        self._steps.append((phase, step))

    @property
    def removes(self) -> int:
        """Registries, upstreams and rules that go."""
        return sum(line.mark == "-" for line in self.lines)

    def steps(self) -> Iterator[Callable[[], None]]:
        """In the order they are to be done in."""
        for _, step in sorted(self._steps, key=lambda pair: pair[0]):
            yield step
