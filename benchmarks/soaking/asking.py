"""What clients ask for, and what it may be answered."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence

from attrs import field, frozen

from benchmarks.soaking.truth import (
    BIG,
    HOT,
    IMAGES,
    LISTS,
    MEMBERS,
    SNAPSHOTS,
    Body,
    World,
)
from tests.e2e import images


@frozen
class Question:
    """One request, and how its answer is judged."""

    kind: str
    registry: str
    path: str
    editions: Sequence[Body | bytes] = field(default=(), repr=False)
    """What it may be, byte for byte."""
    right: Callable[[bytes], bool] | None = field(default=None, repr=False)
    """In place of ``editions``."""
    method: str = "GET"
    headers: Mapping[str, str] = field(factory=dict)
    part: tuple[int, int] | None = None
    """First byte and the one after the last that are asked for."""
    absent: bool = False
    """Whether it is nowhere."""
    rate: int = 0
    """Bytes a second at which it is read; 0: as they come."""


@frozen
class Questions:
    """Of one thread."""

    world: World
    chance: random.Random

    def next(self) -> Question:
        makes: Sequence[tuple[Callable[[], Question], int]] = (
            (self._hot, 120),
            (self._head, 20),
            (self._range, 20),
            (self._miss, 50),
            (self._checksum, 20),
            (self._list, 25),
            (self._snapshot, 25),
            (self._absent, 10),
            (self._tag, 25),
            (self._manifest, 20),
            (self._layer, 20),
            (self._tags, 10),
            (self._big, 3),
            (self._big_part, 6),
            (self._base, 2),
            (self._slow, 1),
        )
        (make,) = self.chance.choices([one for one, _ in makes], [weight for _, weight in makes])
        return make()

    def every(self) -> list[Question]:
        """One of each thing that there is for ever."""
        found = [self._file("hot", _hot(number)) for number in range(HOT)]
        found += [self._file("big", _big(number)) for number in range(BIG)]
        found += [self._file("snapshot", _snapshot(number)) for number in range(SNAPSHOTS)]
        return found + [self._listed(number) for number in range(LISTS)]

    def _hot(self) -> Question:
        return self._file("hot", _hot(self.chance.randrange(HOT)))

    def _head(self) -> Question:
        path = _hot(self.chance.randrange(HOT))
        return Question("head", "files", path, (self.world.file(path),), method="HEAD")

    def _range(self) -> Question:
        return self._part("range", _hot(self.chance.randrange(HOT)), 1_000)

    def _miss(self) -> Question:
        number = int(self.chance.paretovariate(0.3)) % 1_000_000
        return self._file("miss", f"com/soak/m{number}/lib/1/lib-1.jar")

    def _snapshot(self) -> Question:
        return self._file("snapshot", _snapshot(self.chance.randrange(SNAPSHOTS)))

    def _checksum(self) -> Question:
        some = (_hot(self.chance.randrange(HOT)), _snapshot(self.chance.randrange(SNAPSHOTS)))
        path = self.chance.choice(some)
        sums = [each.digest("sha1").encode() for each in self._editions(path)]
        return Question("checksum", "files", f"{path}.sha1", sums)

    def _list(self) -> Question:
        return self._listed(self.chance.randrange(LISTS))

    def _absent(self) -> Question:
        path = f"com/soak/none{self.chance.randrange(1000)}/x/1/x-1.jar"
        return Question("absent", "files", path, absent=True)

    def _big(self) -> Question:
        return self._file("big", _big(self.chance.randrange(BIG)))

    def _big_part(self) -> Question:
        return self._part("big range", _big(self.chance.randrange(BIG)), 500_000)

    def _slow(self) -> Question:
        path = _big(self.chance.randrange(BIG))
        return Question("slow", "files", path, (self.world.file(path),), rate=2_000_000)

    def _tag(self) -> Question:
        repository = self._repository()
        return self._of_image(
            "tag",
            f"{repository}/manifests/latest",
            [self.world.manifest(repository, each) for each in self._numbers()],
        )

    def _manifest(self) -> Question:
        repository = self._repository()
        body = self.world.manifest(repository, self._recent())
        digest = hashlib.sha256(body).hexdigest()
        return self._of_image("manifest", f"{repository}/manifests/sha256:{digest}", [body])

    def _layer(self) -> Question:
        repository = self._repository()
        layer = self.world.layers(repository, self._recent())[2]
        return self._of_image("layer", _blob(repository, layer), [layer])

    def _base(self) -> Question:
        repository = self._repository()
        layer = self.world.layers(repository, 0)[1]
        return self._of_image("base", _blob(repository, layer), [layer])

    def _tags(self) -> Question:
        repository = self._repository()
        newest = self.world.edition()

        def right(body: bytes) -> bool:
            tags = set(json.loads(body)["tags"])
            return _prefix(tags - {"latest"}, "e{}", newest + 2)

        return Question("tags", "pictures", f"{repository}/tags/list", right=right)

    def _listed(self, number: int) -> Question:
        newest = self.world.edition()

        def right(body: bytes) -> bool:
            versions = set(re.findall(r"<version>([^<]+)</version>", body.decode()))
            by = [{each for each in versions if each.endswith(one)} for one in MEMBERS]
            return versions == by[0] | by[1] and all(
                _prefix(some, f"1.{{}}-{one}", newest + 2)
                for some, one in zip(by, MEMBERS, strict=True)
            )

        return Question("list", "files", f"com/soak/g{number}/app/maven-metadata.xml", right=right)

    def _file(self, kind: str, path: str) -> Question:
        return Question(kind, "files", path, self._editions(path))

    def _part(self, kind: str, path: str, length: int) -> Question:
        body = self.world.file(path)
        start = self.chance.randrange(body.size - 1)
        stop = min(body.size, start + length)
        headers = {"Range": f"bytes={start}-{stop - 1}"}
        return Question(kind, "files", path, (body,), headers=headers, part=(start, stop))

    def _of_image(self, kind: str, path: str, editions: Sequence[Body | bytes]) -> Question:
        return Question(kind, "pictures", path, editions, headers={"Accept": images.OCI_MANIFEST})

    def _editions(self, path: str) -> list[Body]:
        if "SNAPSHOT" not in path:
            return [self.world.file(path)]
        return [self.world.file(path, each) for each in self._numbers()]

    def _numbers(self) -> range:
        """Of editions so far, and of the one that may come while the answer does."""
        return range(self.world.edition() + 3)

    def _recent(self) -> int:
        newest = self.world.edition()
        return self.chance.randint(max(0, newest - 4), newest)

    def _repository(self) -> str:
        return f"soak/i{self.chance.randrange(IMAGES)}"


def _hot(number: int) -> str:
    return f"com/soak/g{number}/app/1/app-1.jar"


def _big(number: int) -> str:
    return f"com/soak/b{number}/big/1/big-1.jar"


def _snapshot(number: int) -> str:
    return f"com/soak/s{number}/app/1-SNAPSHOT/app-1-SNAPSHOT.jar"


def _blob(repository: str, layer: Body) -> str:
    return f"{repository}/blobs/sha256:{layer.digest('sha256')}"


def _prefix(names: set[str], pattern: str, most: int) -> bool:
    """Whether they are the first of all, however many; none where somebody was not heard."""
    return len(names) <= most and names == {pattern.format(n) for n in range(len(names))}
