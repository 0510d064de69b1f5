"""What the tests with real clients share: repositories, web servers, virtreg itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e import gallery, marked, sample, shelves
from tests.e2e.distribution import Distribution
from tests.e2e.gallery import Gallery
from tests.e2e.maven import Maven
from tests.e2e.nginx import Nginx
from tests.e2e.server import Server, Setting, Upstream
from tests.e2e.tree import Tree

Serve = Callable[..., Server]


@pytest.fixture(scope="session", autouse=True)
def secrets_stay_secret() -> Iterator[None]:
    """Fails the run when a secret lies anywhere in what its servers wrote."""
    yield
    assert marked.found_in_all() == []


@pytest.fixture(scope="session")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folder of each upstream's repository, and ``all``: the same files in one."""
    folder = tmp_path_factory.mktemp("repositories")
    trees = {name: Tree(folder / name) for name in (*shelves.UPSTREAMS, "all")}
    products = shelves.make(tmp_path_factory.mktemp("workshop"))
    shelves.fill(trees.__getitem__, products)
    shelves.fill(lambda _: trees["all"], products)
    return {name: tree.root for name, tree in trees.items()}


@pytest.fixture
def web(repositories: dict[str, Path], tmp_path: Path) -> Iterator[Nginx]:
    """The repositories on the web, each on its own port, with an empty access log."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    with Nginx(folder, repositories) as nginx:
        yield nginx


@pytest.fixture
def upstreams(web: Nginx) -> list[Upstream]:
    """The three split repositories as virtreg's upstreams, best position first."""
    return [Upstream(name, web.url(name)) for name in shelves.UPSTREAMS]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start virtreg over some upstreams: ``serve(*upstreams)``, with ``kind="container"`` for
    images and further keys of the registry by name. Stopped gracefully at the end."""
    started: list[Server] = []

    def start(*upstreams: Upstream, kind: str = "maven", **settings: Setting) -> Server:
        folder = tmp_path / f"virtreg-{len(started)}"
        server = Server(folder, upstreams, format=kind, settings=settings)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
        assert marked.found_below(server.folder) == []
        # Gigabytes in some tests, and pytest keeps the folders of several runs.
        shutil.rmtree(server.data)


@pytest.fixture
def mvn(tmp_path: Path) -> Maven:
    folder = tmp_path / "maven"
    folder.mkdir()
    return Maven(folder)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The sample project, not built yet."""
    return sample.write(tmp_path / "project")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """The images of the tests, pushed once. Some folders of several runs are kept by pytest, and
    one image is big: nothing stays."""
    folder = tmp_path_factory.mktemp("gallery")
    yield gallery.hang(folder)
    shutil.rmtree(folder)


@pytest.fixture
def distributions(pictures: Gallery, tmp_path: Path) -> Iterator[dict[str, Distribution]]:
    """Three container registries, by name, each with an empty access log. The images of
    :class:`Gallery` are in the second one; the third has other images by some of their names."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Distribution(tmp_path / name, pictures.storage(name)))
            for name in gallery.UPSTREAMS
        }


@pytest.fixture
def sources(distributions: dict[str, Distribution]) -> list[Upstream]:
    """The three container registries as virtreg's upstreams, best position first."""
    return [Upstream(name, registry.url) for name, registry in distributions.items()]
