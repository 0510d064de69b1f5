"""The clients of images behind one face: they log in, and they pull."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.e2e.buildah import Buildah
from tests.e2e.containerd import Containerd
from tests.e2e.docker import Docker
from tests.e2e.images import Image
from tests.e2e.podman import Podman
from tests.e2e.skopeo import Skopeo
from tests.e2e.stored import Stored

Login = tuple[str, str]
"""A user name and a password."""

AT_ONCE = 3
"""How many layers containerd is let pull together."""


@frozen
class Client:
    name: str
    login: Callable[[str, Login], str]
    """Logs in at a host and gives what was printed. Raises PullFailed."""
    pull: Callable[[Image, str, float], None]
    """Pulls by a reference, in that many seconds at most, and holds the image afterwards. Raises
    PullFailed."""


@contextmanager
def _skopeo(folder: Path) -> Iterator[Client]:
    skopeo = Skopeo(folder)

    def pull(image: Image, reference: str, seconds: float) -> None:
        assert skopeo.copy(reference, seconds=seconds) == image.first

    yield Client("skopeo", skopeo.login, pull)


@contextmanager
def _podman(folder: Path) -> Iterator[Client]:
    podman = Podman(folder)

    def pull(image: Image, reference: str, seconds: float) -> None:
        assert podman.pull(reference, seconds=seconds) == Stored.of(image)

    yield Client("podman", podman.login, pull)


@contextmanager
def _buildah(folder: Path) -> Iterator[Client]:
    buildah = Buildah(folder)

    def pull(image: Image, reference: str, seconds: float) -> None:
        assert buildah.start_from(reference) == Stored.of(image, platform=True)

    yield Client("buildah", buildah.login, pull)


@contextmanager
def _docker(folder: Path) -> Iterator[Client]:
    with Docker(folder) as docker:

        def pull(image: Image, reference: str, seconds: float) -> None:
            assert docker.pull(reference, seconds=seconds) == Stored.of(image)

        yield Client("docker", docker.login, pull)


@contextmanager
def _containerd(folder: Path) -> Iterator[Client]:
    """It knows no logins of its own: each pull is told one."""
    logins: dict[str, Login] = {}
    with Containerd(folder) as containerd:

        def login(host: str, login: Login) -> str:
            logins[host] = login
            return ""

        def pull(image: Image, reference: str, seconds: float) -> None:
            told = logins.get(reference.partition("/")[0])
            held = containerd.pull(reference, login=told, at_once=AT_ONCE, seconds=seconds)
            assert {image.digest, *image.first} <= held

        yield Client("containerd", login, pull)


CLIENTS = {
    "skopeo": _skopeo,
    "podman": _podman,
    "buildah": _buildah,
    "docker": _docker,
    "containerd": _containerd,
}
