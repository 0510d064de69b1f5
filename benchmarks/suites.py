"""Scenarios that share an upstream and the servers in front of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from attrs import define, field

from benchmarks import targets
from benchmarks.files import Repository
from benchmarks.images import targets as image_targets
from benchmarks.images.gallery import Gallery
from benchmarks.images.scenarios import scenarios as image_scenarios
from benchmarks.images.targets import Upstream
from benchmarks.processes import LOAD_CPU, SERVER_CPU
from benchmarks.scenarios import Effort, Scenario, cold_files, scenarios
from benchmarks.targets import Target

NAMES = tuple(dict.fromkeys((*targets.STARTS, *image_targets.STARTS)))
"""Every server that can be compared."""


class Suite(Protocol):
    """One kind of content."""

    def scenarios(self) -> list[Scenario]:
        """In the order they are measured; nothing has to run for this."""
        ...

    def start(self, stack: ExitStack, names: Sequence[str]) -> list[Target]:
        """Start the upstream and those of the named servers that serve this kind, all stopped
        when the stack ends. Called once, before any scenario is measured."""
        ...


@define
class MavenSuite:
    folder: Path
    effort: Effort
    pin: bool

    @property
    def repository(self) -> Repository:
        return Repository(self.folder / "files", self.effort.big)

    def scenarios(self) -> list[Scenario]:
        return scenarios(self.repository, self.effort)

    def start(self, stack: ExitStack, names: Sequence[str]) -> list[Target]:
        self.repository.publish(cold_files(self.effort))
        root, cpu = self.repository.root, SERVER_CPU if self.pin else None
        behind = targets.upstream(self.folder / "direct", root, LOAD_CPU if self.pin else None)
        running = [behind]
        stack.callback(behind.close)
        for name in names:
            if name in targets.STARTS:
                running.append(targets.STARTS[name](self.folder / name, root, behind, cpu))
                stack.callback(running[-1].close)
        return running


@define
class ImageSuite:
    folder: Path
    effort: Effort
    pin: bool
    gallery: Gallery = field(init=False)
    _behind: Upstream | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.gallery = Gallery(self.folder / "shelf", self.effort.big)

    def scenarios(self) -> list[Scenario]:
        return image_scenarios(self.gallery, self.effort, self._upstream)

    def start(self, stack: ExitStack, names: Sequence[str]) -> list[Target]:
        images = [self.gallery.few, self.gallery.many]
        folder, load_cpu = self.folder / "direct", LOAD_CPU if self.pin else None
        self._behind = image_targets.upstream(folder, self.gallery.root, images, load_cpu)
        stack.callback(self._behind.close)
        running: list[Target] = [self._behind]
        for name in names:
            if name not in image_targets.STARTS:
                continue
            if image_targets.missing(name):
                print(f"images without {name}: it is not installed", flush=True)
                continue
            cpu = SERVER_CPU if self.pin else None
            running.append(image_targets.STARTS[name](self.folder / name, self._behind, cpu))
            stack.callback(running[-1].close)
        return running

    def _upstream(self) -> Upstream:
        assert self._behind is not None
        return self._behind
