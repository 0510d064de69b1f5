"""The bundled server as a process, over an upstream in this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance.client import Client
from tests.e2e.server import Server, Setting, Upstream
from tests.wsgi.doors import Connected
from virtreg.testing.origin import Origin

DOCUMENTED = "/v2/virtual_registries/container/1/"
ROOT = "/v2/"

Open = Callable[..., Client]
"""Starts a server with the keyword arguments as keys of its upstream, over an upstream of its own,
and gives a client at the root URL."""


@pytest.fixture(scope="session")
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="session")
def server(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    folder = tmp_path_factory.mktemp("conformance")
    server = Server(folder, [Upstream("near", origin.url)], format="container")
    server.start()
    try:
        yield Connected(server.port, "")
    finally:
        server.stop()


@pytest.fixture(params=[DOCUMENTED, ROOT], ids=["documented", "root"])
def base(request: pytest.FixtureRequest) -> str:
    url: str = request.param
    return url


@pytest.fixture(params=[False, True], ids=["cold", "warm"])
def client(request: pytest.FixtureRequest, base: str, server: Connected, origin: Origin) -> Client:
    warm: bool = request.param
    return Client(server, origin, base, warm)


@pytest.fixture
def at_root(server: Connected, origin: Origin) -> Client:
    """For what only a root URL can say."""
    return Client(server, origin, ROOT, warm=False)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_one(**settings: Setting) -> Client:
            origin = stack.enter_context(Origin())
            upstream = Upstream("near", origin.url, settings)
            server = Server(tmp_path, [upstream], format="container")
            server.start()
            stack.callback(server.stop)
            return Client(Connected(server.port, ""), origin, ROOT, warm=False)

        yield open_one
