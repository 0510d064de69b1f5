"""``virtreg prefetch``: a prefetch as somebody at a terminal, or a log, sees it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from virtreg.assembly import build
from virtreg.config import Config
from virtreg.errors import NotFound, VirtregError
from virtreg.events import Event, Filled, FillFailed
from virtreg.prefetch import Platforms, Prefetched, prefetch


class Kept:
    """An observer that remembers what was pulled and could not be kept. Thread-safe."""

    def __init__(self) -> None:
        self._failed: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, FillFailed):
            self._failed[event.path] = event.reason
        elif isinstance(event, Filled):
            self._failed.pop(event.path, None)

    def problems(self) -> Iterator[str]:
        for path, reason in self._failed.items():
            yield f"problem: {path} is not kept: {reason}"


class Shown:
    """A Watcher: one line for each image that ends, and on a terminal a bar below. Closed by
    leaving its context."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.fields[had]}/{task.fields[wanted]} blobs"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=0, had=0, wanted=0)
        self._lock = threading.Lock()
        self._wanted = self._had = self._size = 0

    def __enter__(self) -> Shown:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def wanted(self, size: int) -> None:
        with self._lock:
            self._wanted += 1
            self._size += size
            self._bar.update(self._task, total=self._size, wanted=self._wanted)

    def moved(self, size: int) -> None:
        self._bar.advance(self._task, size)

    def had(self) -> None:
        with self._lock:
            self._had += 1
            self._bar.update(self._task, had=self._had)

    def ended(self, image: str, error: VirtregError | None) -> None:
        self._console.print(
            f"ok: {image}" if error is None else f"problem: {image}: {_told(error)}"
        )


def run(
    config: Config, registry: str, images: Sequence[str], platforms: Platforms, jobs: int
) -> bool:
    """Prefetch, print how it goes, and say whether every image is there and kept.

    Raises VirtregError when the storage cannot be used.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    kept = Kept()
    # Requests are not counted and nothing is served: only the cache of the assembly is used.
    quiet = evolve(config, server=evolve(config.server, access_log=False, hot_bytes=0))
    with _private():
        assembly = build(quiet, observers=[kept])
        try:
            with Shown(console) as shown:
                result = prefetch(assembly.registries[registry], images, platforms, shown, jobs)
        except KeyboardInterrupt:
            console.print("interrupted: what is nearly there gets some seconds to end")
            raise
        finally:
            finish(assembly.close, console)
    problems = list(kept.problems())
    for line in (*problems, summary(result)):
        console.print(line)
    return not result.failed and not problems


def finish(close: Callable[[], None], console: Console) -> None:
    """Close, which writes what was told to be there; say so when that is interrupted."""
    try:
        close()
    except KeyboardInterrupt:
        console.print("interrupted while writing: run it again to have what was pulled last kept")
        raise


def summary(result: Prefetched) -> str:
    """The last line."""
    parts = [
        _counted(result.images, "image"),
        _counted(result.blobs, "blob"),
        f"{decimal(result.size)} pulled",
        f"{_counted(result.held, 'blob')} held already",
    ]
    if result.failed:
        parts.append(f"{_counted(len(result.failed), 'image')} failed")
    return ", ".join(parts)


@contextmanager
def _private() -> Iterator[None]:
    """As a server does: what was pulled with the operator's credentials is not for the machine's
    other users."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _told(error: VirtregError) -> str:
    """Absence is a matter of all upstreams; other messages name the one that they are about."""
    if not isinstance(error, NotFound) or not error.answers:
        return error.message
    answers = "; ".join(f"{each.upstream}: {each.detail}" for each in error.answers)
    return f"{error.message} ({answers})"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
