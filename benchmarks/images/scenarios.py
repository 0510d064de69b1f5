"""What is measured of images."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from benchmarks import load
from benchmarks.files import MB
from benchmarks.images.gallery import COLD, COLD_LINE, Gallery
from benchmarks.images.shelf import MANIFEST, TAG
from benchmarks.images.targets import Upstream
from benchmarks.load import Measure
from benchmarks.scenarios import Effort, Scenario
from benchmarks.targets import Target

CROWD = 50
"""Clients at once that want the same layer."""

_HITS = ("docker-registry", "drayage", "direct")
_COLD = ("direct",)

PathOf = Callable[[], str]
"""A path below a target's URL, once the images are published."""


def scenarios(gallery: Gallery, effort: Effort, behind: Callable[[], Upstream]) -> list[Scenario]:
    """Every scenario, by names that begin with ``image-``. Until one is measured, nothing is
    published and ``behind``, the running upstream, is not called."""
    cpu = effort.load_cpu

    def small(name: str, path: PathOf, connections: int) -> Scenario:
        def hit(target: Target, clients: int, seconds: int) -> Measure:
            url = f"{target.urls['images']}/{path()}"
            return load.requests(target, url, clients, seconds, cpu, MANIFEST)

        def warm(target: Target) -> None:
            hit(target, 1, 1)

        def once(target: Target, _: int) -> Measure:
            return hit(target, connections, effort.seconds)

        return Scenario(name, "images", "req/s", once, warm, _HITS)

    def big(clients: int) -> Scenario:
        def hit(target: Target, times: int, clients: int) -> Measure:
            url = f"{target.urls['images']}/{gallery.few.blob_path(gallery.few.layers[1])}"
            return load.downloads(target, url, times, clients, cpu)

        def warm(target: Target) -> None:
            hit(target, 1, 1)

        def once(target: Target, _: int) -> Measure:
            return hit(target, effort.repeats, clients)

        return Scenario(f"image-blob-big-c{clients}", "images", "GB/s", once, warm, _HITS)

    def cold(name: str, repository: str, size: int, clients: int) -> Scenario:
        def once(target: Target, number: int) -> Measure:
            layer = gallery.once(name, number, size)
            url = f"{target.urls['images']}/{repository}/blobs/{layer.digest}"
            before = behind().asked(layer.digest)
            seen = load.downloads(target, url, 1, clients, cpu)
            return evolve(seen, asked=behind().asked(layer.digest) - before)

        return Scenario(name, "images", "GB/s", once, peers=_COLD)

    def again() -> Scenario:
        def pull(target: Target, times: int) -> Measure:
            repository = gallery.many.repository
            before = behind().asked(repository)
            seen = load.pulls(target, target.urls["images"], repository, TAG, times, cpu)
            return evolve(seen, asked=behind().asked(repository) - before)

        def warm(target: Target) -> None:
            pull(target, 1)

        def once(target: Target, _: int) -> Measure:
            return pull(target, effort.repeats)

        return Scenario("image-pull-again", "images", "pulls/s", once, warm, _HITS)

    def blob() -> str:
        return gallery.few.blob_path(gallery.few.layers[0])

    return [
        small("image-tag-c1", lambda: gallery.few.tag_path, 1),
        small("image-tag-c16", lambda: gallery.few.tag_path, 16),
        small("image-tag-c64", lambda: gallery.few.tag_path, 64),
        small("image-digest-c16", lambda: gallery.few.digest_path, 16),
        small("image-blob-8k-c16", blob, 16),
        big(1),
        big(4),
        again(),
        cold("image-cold-c1", COLD, effort.layer, 1),
        cold("image-cold-line-c1", COLD_LINE, effort.layer, 1),
        cold(f"image-crowd-c{CROWD}", COLD, 100 * MB, CROWD),
    ]
