"""Which images and layers are asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from attrs import define, field

from benchmarks.images.shelf import Blob, Image, Shelf, many_layers

COLD = "bench/cold"
"""A repository whose layers come as fast as the upstream can."""
COLD_LINE = "line/cold"
"""A repository whose layers come as fast as a network brings them."""


@define(slots=False)
class Gallery:
    """Publishes what is asked for when it is first asked for. ``big`` is the size in bytes of the
    big layer that is pulled again and again. Not thread-safe."""

    root: Path
    big: int
    _once: dict[tuple[str, int], Blob] = field(factory=dict, init=False)

    @cached_property
    def shelf(self) -> Shelf:
        self.root.mkdir()
        return Shelf(self.root)

    @cached_property
    def few(self) -> Image:
        """A layer of 8 KB and the big one."""
        return self.shelf.image("bench/few", iter((8_000, self.big)))

    @cached_property
    def many(self) -> Image:
        return self.shelf.image("bench/many", many_layers())

    def once(self, scenario: str, number: int, size: int) -> Blob:
        """The layer that every target is asked for in that round of that scenario alone."""
        key = (scenario, number)
        if key not in self._once:
            self._once[key] = self.shelf.blob(size)
        return self._once[key]
