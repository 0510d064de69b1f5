"""Every process of the server is killed every five seconds while a build and pulls of images run:
both end well by trying again, with the right bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.gallery import Gallery
from tests.e2e.images import Image
from tests.e2e.maven import Maven, Run
from tests.e2e.nginx import Nginx
from tests.e2e.podman import Podman
from tests.e2e.server import Upstream
from tests.e2e.soundness import unsound_blobs
from tests.e2e.stored import PullFailed, Stored
from tests.faults.node import Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

EVERY = 5.0
"""Seconds between two kills."""
KILLS = 4
TRIES = 40


class Storm:
    """Kills all processes of a server every few seconds, and starts it again, as systemd would."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._rage)
        self.kills = 0

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _rage(self) -> None:
        while not self._over.wait(EVERY):
            self._node.kill()
            self.kills += 1
            self._node.start()


@pytest.fixture
def node(upstreams: list[Upstream], sources: list[Upstream], tmp_path: Path) -> Iterator[Node]:
    node = Node(
        tmp_path / "virtreg",
        [*upstreams, *sources],
        settings={"upstreams": [upstream.name for upstream in upstreams]},
        also={
            "images": {
                "format": "container",
                "upstreams": [upstream.name for upstream in sources],
            }
        },
        serving={"workers": 2},
    )
    node.start()
    yield node
    node.stop()


def build(mvn: Maven, url: str, project: Path) -> Run:
    """As whoever tries again until it works."""
    done: Run | None = None
    for _ in range(TRIES):
        # -U: Maven remembers for a day what could not be had.
        done = mvn.run(url, project, "-U", "clean", "package", after=done)
        if done.code == 0:
            return done
        time.sleep(0.5)
    assert done is not None
    raise AssertionError(done.output)


def pull(podman: Podman, reference: str) -> Stored:
    """As whoever tries again until it works."""
    for _ in range(TRIES):
        try:
            return podman.pull(reference)
        except PullFailed:
            time.sleep(0.5)
    raise AssertionError(f"{reference} could not be pulled")


def artifacts(run: Run) -> dict[str, bytes]:
    """What was downloaded, but for what Maven writes itself."""
    return {
        str(path.relative_to(run.local)): path.read_bytes()
        for path in run.local.rglob("*")
        if path.suffix in {".jar", ".pom"}
    }


def test_a_build_and_pulls_of_images_outlast_a_storm_of_kills(
    web: Nginx,
    node: Node,
    mvn: Maven,
    project: Path,
    pictures: Gallery,
    tmp_path: Path,
) -> None:
    direct = mvn.run(web.url("all"), project, "clean", "package")
    assert direct.code == 0, direct.output
    (tmp_path / "podman").mkdir()
    podman = Podman(tmp_path / "podman")
    wanted: list[Image] = [pictures.big, pictures.many, pictures.multi, pictures.single]
    builds: list[Run] = []
    pulled: list[tuple[Image, Stored]] = []
    with Storm(node) as storm, ThreadPoolExecutor(1) as threads:
        while storm.kills < KILLS or not builds:
            image = wanted[len(pulled) % len(wanted)]
            pulling = threads.submit(pull, podman, image.by_tag(f"{node.host}/images"))
            builds.append(build(mvn, node.maven, project))
            pulled.append((image, pulling.result()))
    assert storm.kills >= KILLS
    for done in builds:
        assert artifacts(done) == artifacts(direct)
    for image, stored in pulled:
        assert (stored.config, stored.diff_ids) == (image.config, image.diff_ids)
    assert unsound_blobs(node.data) == []
