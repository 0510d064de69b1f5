from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field

from tests.prefetch.galleries import Gallery, assembled, digest
from virtreg.errors import NotFound, VirtregError
from virtreg.prefetch import ALL, Platforms, Prefetched, parse_platforms, prefetch
from virtreg.testing.origin import Origin

AMD64 = parse_platforms(["linux/amd64"])
LARGE = bytes(range(256)) * 8192
"""Larger than what is read whole before it is answered."""


@define
class Notes:
    """A Watcher that writes down what it is told."""

    wanted_bytes: int = 0
    moved_bytes: int = 0
    blobs: int = 0
    endings: dict[str, VirtregError | None] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def wanted(self, size: int) -> None:
        with self._lock:
            self.wanted_bytes += size

    def moved(self, size: int) -> None:
        with self._lock:
            self.moved_bytes += size

    def had(self) -> None:
        with self._lock:
            self.blobs += 1

    def ended(self, image: str, error: VirtregError | None) -> None:
        with self._lock:
            self.endings[image] = error


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    with Origin() as origin:
        yield Gallery(origin)


def _prefetch(
    gallery: Gallery, folder: Path, *images: str, platforms: Platforms = AMD64, jobs: int = 4
) -> tuple[Prefetched, Notes]:
    notes = Notes()
    with assembled(gallery.origin, folder) as assembly:
        result = prefetch(assembly.registries["images"], images, platforms, notes, jobs)
    return result, notes


def test_an_image_is_served_from_the_cache_afterwards(gallery: Gallery, tmp_path: Path) -> None:
    gallery.image("team/app", [LARGE, b"small"], "v1")
    result, notes = _prefetch(gallery, tmp_path, "team/app:v1")
    assert (result.images, result.blobs, result.held) == (1, 3, 0)
    assert result.size == notes.wanted_bytes == notes.moved_bytes
    assert (notes.blobs, notes.endings) == (3, {"team/app:v1": None})

    asked = len(gallery.origin.requests)
    with assembled(gallery.origin, tmp_path) as assembly:
        registry = assembly.registries["images"]
        for body in (LARGE, b"small"):
            route = registry.format.route(f"team/app/blobs/{digest(body)}")
            with registry.resolve(route).body as served:
                assert b"".join(served.read()) == body
        registry.resolve(registry.format.route("team/app/manifests/v1")).body.close()
    assert len(gallery.origin.requests) == asked


def test_the_second_time_nothing_is_pulled(gallery: Gallery, tmp_path: Path) -> None:
    gallery.image("app", [LARGE, b"small"], "latest")
    _prefetch(gallery, tmp_path, "app")
    asked = len(gallery.origin.requests)
    result, notes = _prefetch(gallery, tmp_path, "app")
    assert len(gallery.origin.requests) == asked
    assert (result.blobs, result.held, result.size) == (3, 3, 0)
    assert notes.moved_bytes == notes.wanted_bytes


def test_of_an_index_the_chosen_platforms_are_pulled(gallery: Gallery, tmp_path: Path) -> None:
    gallery.index(
        "app",
        {
            "linux/amd64": gallery.image("app", [b"for amd64"]),
            "linux/arm64/v8": gallery.image("app", [b"for arm64"]),
            "unknown/unknown": gallery.image("app", [b"attestation"]),
        },
        "latest",
    )
    result, _ = _prefetch(gallery, tmp_path, "app", platforms=parse_platforms(["linux/arm64"]))
    assert result.images == 1
    assert digest(b"for arm64") in gallery.pulled("blobs")
    assert digest(b"for amd64") not in gallery.pulled("blobs")

    result, _ = _prefetch(gallery, tmp_path, "app", platforms=ALL)
    assert {digest(body) for body in (b"for amd64", b"attestation")} <= {*gallery.pulled("blobs")}
    assert result.held == 2


def test_an_index_in_an_index_is_followed(gallery: Gallery, tmp_path: Path) -> None:
    inner = gallery.index("app", {"linux/amd64": gallery.image("app", [b"deep"])})
    gallery.index("app", {None: inner}, "latest")
    result, _ = _prefetch(gallery, tmp_path, "app")
    assert result.images == 1
    assert digest(b"deep") in gallery.pulled("blobs")


def test_a_platform_that_is_not_there_is_an_error_that_says_what_is(
    gallery: Gallery, tmp_path: Path
) -> None:
    gallery.index("app", {"linux/arm64": gallery.image("app", [b"x"])}, "latest")
    result, notes = _prefetch(
        gallery, tmp_path, "app", platforms=parse_platforms(["linux/arm64", "linux/amd64"])
    )
    error = notes.endings["app"]
    assert isinstance(error, NotFound)
    assert error.message == "there is no manifest for linux/amd64; there are: linux/arm64"
    assert result.failed == {"app": error}


def test_one_failure_does_not_stop_the_others(gallery: Gallery, tmp_path: Path) -> None:
    gallery.image("good", [LARGE], "latest")
    gallery.image("torn", [b"layer"], "latest")
    gallery.origin.remove(f"v2/torn/blobs/{digest(b'layer')}")
    gallery.origin.put("v2/odd/manifests/latest", b"{}")
    images = ("Not:A/name", "nowhere", "torn", "odd", "good")
    result, notes = _prefetch(gallery, tmp_path, *images)
    assert result.images == 1
    assert set(result.failed) == {"Not:A/name", "nowhere", "torn", "odd"}
    assert notes.endings["good"] is None
    assert set(notes.endings) == set(images)
    assert "blobs/" in result.failed["torn"].message


def test_an_image_named_twice_is_pulled_once(gallery: Gallery, tmp_path: Path) -> None:
    gallery.image("app", [LARGE], "latest")
    result, _ = _prefetch(gallery, tmp_path, "app", "app:latest", "app")
    assert (result.images, result.blobs) == (2, 2)
    assert len(gallery.pulled("blobs")) == 2


def test_a_wrong_blob_fails_its_image(gallery: Gallery, tmp_path: Path) -> None:
    gallery.image("app", [LARGE], "latest")
    gallery.origin.put(f"v2/app/blobs/{digest(LARGE)}", LARGE[:-1] + b"?")
    result, _ = _prefetch(gallery, tmp_path, "app")
    assert list(result.failed) == ["app"]


def test_one_job_is_enough(gallery: Gallery, tmp_path: Path) -> None:
    gallery.index("app", {"linux/amd64": gallery.image("app", [LARGE, b"a", b"b"])}, "latest")
    result, _ = _prefetch(gallery, tmp_path, "app", jobs=1)
    assert (result.images, result.blobs) == (1, 4)
