"""Pulling whole images through a registry: manifests first, then what they list."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from attrs import define, field, frozen

from virtreg.errors import NotFound, VirtregError
from virtreg.formats.container.manifests import Descriptor, children
from virtreg.prefetch.images import manifest_path
from virtreg.prefetch.platforms import Platforms
from virtreg.protocols import VirtualRegistry

_ARRIVING = ("miss", "joined")
"""Origins of answers whose bodies are on their way; all others are held."""

_TICK = 1.0
"""Seconds after which the running thread looks up: a signal that reaches another thread of the
process does not wake it."""


class Watcher(Protocol):
    """Is told how it goes, by many threads at once."""

    def wanted(self, size: int) -> None:
        """One more blob, of ``size`` bytes, belongs to the images."""

    def moved(self, size: int) -> None:
        """So many bytes more are there."""

    def had(self) -> None:
        """One more blob is there."""

    def ended(self, image: str, error: VirtregError | None) -> None:
        """An image is there whole, or never will be. All of them are told, in order of end."""


@frozen
class Prefetched:
    """What a prefetch came to."""

    images: int
    """Images that are there whole."""
    failed: Mapping[str, VirtregError]
    """The others, each with the first thing that went wrong."""
    blobs: int
    """Blobs that are there; one that several images of a repository have counts once."""
    held: int
    """How many of them were there before."""
    size: int
    """Bytes of those that were not."""


def prefetch(
    registry: VirtualRegistry,
    images: Iterable[str],
    platforms: Platforms,
    watcher: Watcher,
    jobs: int = 4,
) -> Prefetched:
    """Have images, ``name[:tag][@digest]`` each, in the cache of a registry of format
    ``container``; up to ``jobs`` bodies are read at once.

    One image's failure does not stop the others. Bodies are proved when this returns; the last of
    them are published a moment later, at the latest when the registry's assembly is closed.
    """
    stopping = threading.Event()
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="virtreg-prefetch")
    try:
        pulling = _Pulling(registry, platforms, watcher, pool, stopping)
        return pulling.run(dict.fromkeys(images))
    finally:
        # After an interrupt nobody waits for what is read: bodies end when the assembly closes.
        stopping.set()
        pool.shutdown(wait=False, cancel_futures=True)


@define(eq=False)
class _Image:
    text: str
    name: str
    """Its repository."""
    open: int = 0
    """Tasks that have not ended."""
    seen: set[str] = field(factory=set)
    offered: set[str] = field(factory=set)
    unplaced: bool = False
    """An index lists a manifest for no platform in particular, which may be for any."""
    error: VirtregError | None = None


@frozen(eq=False)
class _Task:
    image: _Image
    path: str
    listed: Descriptor | None = None
    """None for the manifest that the image is named by."""


class _Pulling:
    """One prefetch. Its own state is touched by the thread that runs it alone."""

    def __init__(
        self,
        registry: VirtualRegistry,
        platforms: Platforms,
        watcher: Watcher,
        pool: ThreadPoolExecutor,
        stopping: threading.Event,
    ) -> None:
        self._registry = registry
        self._platforms = platforms
        self._watcher = watcher
        self._pool = pool
        self._stopping = stopping
        self._tasks: dict[Future[tuple[Descriptor, ...] | bool], _Task] = {}
        self._whole = 0
        self._failed: dict[str, VirtregError] = {}
        self._blobs: dict[str, bool] = {}
        """Whether each was held before, by path."""
        self._size = 0

    def run(self, images: Iterable[str]) -> Prefetched:
        for text in images:
            path = manifest_path(text)
            self._start(_Task(_Image(text, path.rpartition("/manifests/")[0]), path))
        while self._tasks:
            ended, _ = wait(self._tasks, _TICK, FIRST_COMPLETED)
            for future in ended:
                self._settle(self._tasks.pop(future), future)
        held = sum(self._blobs.values())
        return Prefetched(self._whole, self._failed, len(self._blobs), held, self._size)

    def _start(self, task: _Task) -> None:
        task.image.open += 1
        task.image.seen.add(task.path)
        listed = task.listed
        if listed is not None and listed.kind == "blob":
            self._watcher.wanted(listed.size)
            self._tasks[self._pool.submit(self._blob, task.path, listed.size)] = task
        else:
            self._tasks[self._pool.submit(self._manifest, task.path)] = task

    def _settle(self, task: _Task, future: Future[tuple[Descriptor, ...] | bool]) -> None:
        image = task.image
        try:
            found = future.result()
        except VirtregError as error:
            image.error = image.error or error
        else:
            if isinstance(found, bool):
                self._count(task, found)
            elif image.error is None:
                self._follow(image, found)
        image.open -= 1
        if not image.open:
            self._end(image)

    def _count(self, task: _Task, held: bool) -> None:
        assert task.listed is not None
        if task.path not in self._blobs:
            self._blobs[task.path] = held
            self._size += 0 if held else task.listed.size

    def _follow(self, image: _Image, listed: tuple[Descriptor, ...]) -> None:
        for each in listed:
            if each.platform is not None:
                image.offered.add(each.platform)
                if not self._platforms.chosen(each.platform):
                    continue
            elif each.kind == "manifest":
                image.unplaced = True
            algorithm, encoded = each.digest
            path = f"{image.name}/{each.kind}s/{algorithm}:{encoded}"
            if path not in image.seen:
                self._start(_Task(image, path, each))

    def _end(self, image: _Image) -> None:
        missing = self._platforms.missing(image.offered)
        if image.error is None and image.offered and missing and not image.unplaced:
            image.error = _no_manifest(missing, image.offered)
        if image.error is None:
            self._whole += 1
        else:
            self._failed[image.text] = image.error
        self._watcher.ended(image.text, image.error)

    # On the threads of the pool

    def _manifest(self, path: str) -> tuple[Descriptor, ...]:
        resolution = self._registry.resolve(self._registry.format.route(path))
        with resolution.body as body:
            return children(b"".join(body.read()))

    def _blob(self, path: str, size: int) -> bool:
        """Whether it was held."""
        resolution = self._registry.resolve(self._registry.format.route(path))
        with resolution.body as body:
            held = resolution.origin not in _ARRIVING
            if held:
                self._watcher.moved(size)
            else:
                for piece in body.read():
                    if self._stopping.is_set():
                        break
                    self._watcher.moved(len(piece))
        self._watcher.had()
        return held


def _no_manifest(missing: Iterable[str], offered: Iterable[str]) -> NotFound:
    there = ", ".join(sorted(offered))
    return NotFound(f"there is no manifest for {', '.join(missing)}; there are: {there}")
