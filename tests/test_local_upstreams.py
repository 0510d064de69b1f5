"""Registries and folders of a server as upstreams, through the whole of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import field, frozen
from werkzeug.test import create_environ, run_wsgi_app

from tests.service.recorder import Recorder
from virtreg import Assembly, Config, RegistrySpec, StorageConfig, UpstreamSpec, build
from virtreg.events import Filled
from virtreg.testing.origin import Origin

FILE = "org/example/a/1.0/a-1.0.jar"
DROPPED = "org/example/b/1.0/b-1.0.jar"
CONTENT = b"PK\x03\x04" + bytes(range(256)) * 2000


@frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


@frozen(eq=False)
class Server:
    assembly: Assembly
    origin: Origin
    events: Recorder

    def ask(self, registry: str, path: str, method: str = "GET", **headers: str) -> Answer:
        registry_id = self.assembly.registries[registry].spec.id
        environ = create_environ(
            f"/api/v4/virtual_registries/packages/maven/{registry_id}/{path}",
            method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        body, status, found = run_wsgi_app(self.assembly.app, environ, buffered=True)
        return Answer(int(status[:3]), dict(found), b"".join(body))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """``team`` over ``common`` of another group, which is over an origin, and over a folder."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        origin.put(FILE, CONTENT)
        folder = tmp_path / "drop"
        (folder / DROPPED).parent.mkdir(parents=True)
        (folder / DROPPED).write_bytes(CONTENT[::-1])
        central = UpstreamSpec("central", origin.url, allow_private=("127.0.0.0/8",))
        config = Config(
            (
                RegistrySpec(1, "common", "maven", (central,), group="everybody"),
                RegistrySpec(
                    2,
                    "team",
                    "maven",
                    (
                        UpstreamSpec("drop", folder=str(folder)),
                        UpstreamSpec("everybodys", registry="common"),
                    ),
                ),
            ),
            storage=StorageConfig(tmp_path / "data"),
        )
        events = Recorder()
        assembly = stack.enter_context(build(config, observers=[events]))
        yield Server(assembly, origin, events)


@pytest.mark.parametrize(("path", "content"), [(FILE, CONTENT), (DROPPED, CONTENT[::-1])])
def test_clients_see_no_difference(server: Server, path: str, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    server.ask("team", path)
    if path == FILE:
        server.events.wait(Filled, FILE)
    got = server.ask("team", path)
    assert (got.status, got.body) == (200, content)
    assert got.headers["Content-Length"] == str(len(content))
    head = server.ask("team", path, "HEAD")
    assert (head.status, head.headers["ETag"]) == (200, got.headers["ETag"])
    assert sha256 in got.headers["ETag"]
    assert server.ask("team", path, If_None_Match=got.headers["ETag"]).status == 304
    part = server.ask("team", path, Range="bytes=100-199")
    assert (part.status, part.body) == (206, content[100:200])
    assert server.ask("team", f"{path}.sha256").body.decode() == sha256
    assert server.ask("team", f"{path}x").status == 404


def test_what_the_inner_registry_forgets_is_forgotten_at_once(server: Server) -> None:
    server.ask("team", FILE)
    server.events.wait(Filled, FILE)
    server.origin.put(FILE, b"PK\x03\x04new")
    assert server.ask("team", FILE).body == CONTENT
    server.assembly.registries["common"].purge(FILE)
    assert server.ask("team", FILE).body == b"PK\x03\x04new"


def test_a_group_that_is_switched_off_ends_it_at_once(server: Server) -> None:
    assert server.ask("team", FILE).status == 200
    server.assembly.directory.switch_group("everybody", enabled=False)
    refused = server.ask("team", FILE)
    assert refused.status == 502
    assert b"everybodys" in refused.body


def test_stored_registries_are_followed_while_they_change(server: Server) -> None:
    catalog = server.assembly.catalog
    outer = catalog.add_registry("default", "maven", {"name": "outer"}).spec.id
    inner = catalog.add_registry("default", "maven", {"name": "inner"}).spec.id
    for target, of in ((inner, outer), (2, inner)):
        catalog.add_local_upstream(of, {"name": f"to-{target}", "local_registry_id": target})
    assert server.ask("outer", FILE).body == CONTENT
    catalog.change_registry(inner, {"name": "renamed"})
    assert server.ask("outer", FILE).body == CONTENT
    catalog.remove_registry(inner)
    assert server.ask("outer", FILE).status == 502


def test_nothing_is_kept_twice(server: Server) -> None:
    server.ask("team", FILE)
    server.ask("team", DROPPED)
    server.events.wait(Filled, FILE)
    usage = server.assembly.index.usage()
    (central,) = server.assembly.registries["common"].spec.upstreams
    assert dict(usage) == {central.key: (1, len(CONTENT))}
