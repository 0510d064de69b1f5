"""``python -m benchmarks.soaking.upstream``: an upstream of a soak, in a process of its own. Prints
its port, and ends with its standard input."""

from __future__ import annotations

import sys

from benchmarks.soaking import content
from virtreg.testing.origin import Origin, Seen
from virtreg.testing.origin.behaviour import HEALTHY, Behaviour
from virtreg.testing.origin.content import Content

_TYPED = Behaviour(headers={"Content-Type": content.MANIFEST})


class Endless(Origin):
    """Has whatever :mod:`benchmarks.soaking.content` says, as it is asked for: paths begin with the
    name of the upstream, or with ``v2``."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._manifests: dict[str, bytes] = {}
        for number in range(content.IMAGES):
            picture = content.picture(number)
            for digest, blob in picture.blobs.items():
                self._blobs[f"v2/{picture.name}/blobs/{digest}"] = blob
            for reference in ("latest", content.digest_of(picture.manifest)):
                self._manifests[f"v2/{picture.name}/manifests/{reference}"] = picture.manifest
        super().__init__()

    def record(self, seen: Seen) -> None:
        """There are too many to remember."""

    def look_up(self, path: str, query: str) -> tuple[Content | None, Behaviour]:
        if path in self._manifests and not query:
            return Content.of_bytes(self._manifests[path]), _TYPED
        if path in self._blobs:
            return Content.of_bytes(self._blobs[path]), HEALTHY
        upstream, _, below = path.partition("/")
        found = content.answer(upstream, below)
        return (None if found is None else Content.of_bytes(found)), HEALTHY


def main() -> None:
    with Endless() as origin:
        print(origin.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
