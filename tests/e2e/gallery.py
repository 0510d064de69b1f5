"""Which container registry has which image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

from tests.e2e import images
from tests.e2e.distribution import Distribution
from tests.e2e.images import Image

UPSTREAMS = ("first", "second", "third")

BIG = 500 * 1000 * 1000


@frozen
class Gallery:
    """Every image here is in the second registry, and only there."""

    folder: Path
    single: Image = field(factory=lambda: images.single("library/single"))
    v2s2: Image = field(factory=lambda: images.single("library/v2s2", family="docker"))
    multi: Image = field(factory=lambda: images.multi("library/multi"))
    listed: Image = field(factory=lambda: images.multi("library/listed", family="docker"))
    many: Image = field(factory=lambda: images.single("lab/many", layers=35))
    attested: Image = field(factory=lambda: images.attested("lab/attested"))
    nested: Image = field(factory=lambda: images.nested("lab/nested"))
    artifact: Image = field(factory=lambda: images.artifact("lab/artifact", b"nothing to report\n"))
    sha512: Image = field(factory=lambda: images.single("lab/sha512", algorithm="sha512"))
    deep: Image = field(factory=lambda: images.single("lab/a/very/deep/name/with-parts/of_it"))
    big: Image = field(init=False)
    referrer: Image = field(init=False)
    """Refers to :attr:`single`."""
    referrers: Image = field(init=False)
    """The index that lists it."""

    @big.default
    def _written(self) -> Image:
        return images.big("lab/big", self.folder / "big", BIG)

    @referrer.default
    def _referring(self) -> Image:
        return images.signed(self.single)[0]

    @referrers.default
    def _referred(self) -> Image:
        return images.signed(self.single)[1]

    def storage(self, name: str) -> Path:
        """The folder of one registry's images."""
        return self.folder / name

    def __iter__(self) -> Iterator[Image]:
        yield from (self.single, self.v2s2, self.multi, self.listed, self.many, self.attested)
        yield from (self.nested, self.artifact, self.sha512, self.deep, self.big)
        yield from (self.referrer, self.referrers)


def hang(folder: Path) -> Gallery:
    """Push all images to where they belong."""
    gallery = Gallery(folder)
    shelves = {
        "first": [images.single("library/elsewhere")],
        "second": list(gallery),
        "third": [
            images.single("library/single", layers=3),
            images.single("library/multi", layers=3),
            images.single("lab/many", layers=3),
        ],
    }
    for name, content in shelves.items():
        with Distribution(folder / f"{name}-push", gallery.storage(name)) as registry:
            for image in content:
                registry.push(image)
    (folder / "big").unlink()
    return gallery
