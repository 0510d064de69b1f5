"""Two servers of one data folder, and two nodes of one database: what is changed at one is in force
at the other within a second, for what it keeps ready too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from attrs import evolve, frozen

from tests.e2e import images, metadata
from tests.e2e.hanging import hang
from tests.e2e.management import CONTAINER, GROUP, MAVEN, House, Registry, house
from tests.e2e.processes import free_port, until
from tests.e2e.server import Setting
from tests.postgres import Cluster
from virtreg.backends.vault import new_key
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SECOND = 1.0
FILE = "com/acme/app/1.0/app-1.0.jar"
LIST = "com/acme/app/maven-metadata.xml"
IMAGE = images.single("team/app")


@frozen
class Two:
    home: House
    other: int
    """The port of the server beside it."""


@pytest.fixture(scope="module", params=["one folder", "one database"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    if request.param == "one folder":
        yield from _beside(folder / "virtreg", folder / "virtreg", {})
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    key = new_key().reveal()
    with postgres.database() as name:
        for node in (folder / "virtreg", folder / "other"):
            node.mkdir()
            for file, content in (("password-url", postgres.url(name)), ("secret.key", key)):
                (node / file).touch(0o600)
                (node / file).write_text(f"{content}\n")
        storage = {"database": "file:password-url"}
        yield from _beside(folder / "virtreg", folder / "other", storage)


def _beside(folder: Path, other: Path, storage: Mapping[str, Setting]) -> Iterator[Two]:
    with house(folder, storage=storage) as home:
        beside = evolve(home.server, folder=other, port=free_port())
        beside.start()
        try:
            yield Two(home, beside.port)
        finally:
            beside.stop()


@pytest.fixture
def near() -> Iterator[Origin]:
    with _origin("near", "1.0") as origin:
        yield origin


@pytest.fixture
def far() -> Iterator[Origin]:
    with _origin("far", "2.0") as origin:
        yield origin


def _origin(name: str, version: str) -> Origin:
    origin = Origin({FILE: f"PK {name}".encode()})
    origin.put(LIST, metadata.artifact("com.acme", "app", [version]))
    hang(origin, IMAGE)
    return origin


def within_a_second(reached: Callable[[], bool], what: str) -> None:
    """No request that is sent more than a second after the change is answered as before it."""
    changed = time.monotonic()
    while True:
        sent = time.monotonic()
        if reached():
            return
        assert sent - changed < SECOND, f"{what}: not yet after {sent - changed:.2f} s"


def body(registry: Registry, path: str = FILE) -> bytes:
    """Of what is there, or nothing. What is there is kept ready afterwards."""
    answer = registry.pull(path)
    return answer.body if answer.status == 200 else b""


def test_a_registry_that_is_made_is_there_beside(two: Two, near: Origin) -> None:
    registry = two.home.admin.make(MAVEN, "made")
    beside = registry.at(two.other)
    within_a_second(lambda: beside.ask("GET", f"registries/{registry.id}").status == 200, "made")
    registry.upstream("near", near.url)
    within_a_second(lambda: body(beside) == b"PK near", "an upstream")
    registry.asked("DELETE", f"registries/{registry.id}")
    within_a_second(lambda: beside.pull(FILE).status == 404, "gone")
    assert beside.ask("GET", f"registries/{registry.id}").status == 404


def test_an_upstream_that_is_moved_is_asked_first_beside(
    two: Two, near: Origin, far: Origin
) -> None:
    registry = two.home.admin.make(MAVEN, "moved")
    beside = registry.at(two.other)
    upstreams = [registry.upstream("near", near.url), registry.upstream("far", far.url)]
    within_a_second(lambda: b"2.0" in body(beside, LIST), "both")
    registry.asked("PATCH", f"registries/{registry.id}", {"order": "strict"})
    within_a_second(lambda: body(beside) == b"PK near", "strict")
    registry.asked(
        "PATCH", f"registry_upstreams/{registry.places()[upstreams[1]]}", {"position": 1}
    )
    within_a_second(lambda: body(beside) == b"PK far", "moved")
    registry.asked("DELETE", f"registry_upstreams/{registry.places()[upstreams[0]]}")
    within_a_second(lambda: b"1.0</version>" not in body(beside, LIST), "taken out")
    assert b"2.0</version>" in body(beside, LIST)


def test_a_rule_hides_beside_what_is_kept_ready_there(two: Two, near: Origin) -> None:
    registry = two.home.admin.make(MAVEN, "ruled")
    beside = registry.at(two.other)
    upstream = registry.upstream("near", near.url)
    within_a_second(lambda: body(beside) == b"PK near", "an upstream")
    assert body(registry) == body(beside)
    asked = len(near.requests)
    rule = registry.deny(upstream, "group_id", "com.acme")
    assert registry.pull(FILE).status == 403
    within_a_second(lambda: beside.pull(FILE).status == 403, "a rule")
    registry.allow_again(rule)
    assert body(registry) == b"PK near"
    within_a_second(lambda: body(beside) == b"PK near", "no rule")
    assert len(near.requests) == asked


def test_an_entry_that_is_deleted_is_asked_for_anew_beside(two: Two, near: Origin) -> None:
    registry = two.home.admin.make(MAVEN, "deleted")
    beside = registry.at(two.other)
    upstream = registry.upstream("near", near.url)
    within_a_second(lambda: body(beside) == b"PK near", "an upstream")

    def entries() -> list[dict[str, str]]:
        found: list[dict[str, str]] = registry.asked("GET", f"upstreams/{upstream}/cache_entries")
        return found

    # A file is written down when it has been sent.
    until(lambda: bool(entries()), "entry")
    near.put(FILE, b"PK mended")
    assert body(beside) == b"PK near"
    [entry] = entries()
    registry.asked("DELETE", f"cache_entries/{entry['id']}")
    within_a_second(lambda: body(beside) == b"PK mended", "a deleted entry")
    near.put(FILE, b"PK once more")
    registry.asked("DELETE", f"upstreams/{upstream}/cache")
    within_a_second(lambda: body(beside) == b"PK once more", "a purged upstream")
    near.put(FILE, b"PK at last")
    registry.asked("DELETE", f"registries/{registry.id}/cache")
    within_a_second(lambda: body(beside) == b"PK at last", "a purged registry")
    assert body(registry) == b"PK at last"


def test_images_of_a_registry_that_is_made_and_removed(two: Two, near: Origin) -> None:
    registry = two.home.admin.make(CONTAINER, "pictures")
    beside = registry.at(two.other)
    registry.upstream("near", near.url)
    tag = f"{IMAGE.name}/manifests/{IMAGE.tag}"
    within_a_second(lambda: body(beside, tag) == IMAGE.top.body, "images")
    assert body(beside, tag) == IMAGE.top.body
    registry.asked("DELETE", f"registries/{registry.id}")
    within_a_second(lambda: beside.pull(tag).status == 404, "no images")


def test_a_group_that_is_switched_off_is_off_beside(two: Two, near: Origin) -> None:
    registry = two.home.admin.make(MAVEN, "switched")
    beside = registry.at(two.other)
    registry.upstream("near", near.url)
    within_a_second(lambda: body(beside) == b"PK near", "an upstream")
    assert body(beside) == b"PK near"
    switch = two.home.admin.group
    assert switch("PATCH", "settings", {"enabled": False}).status == 200
    within_a_second(lambda: beside.pull(FILE).status == 404, "off")
    assert beside.by.group("GET", f"{MAVEN}/registries", group=GROUP).status == 404
    assert switch("PATCH", "settings", {"enabled": True}).status == 200
    within_a_second(lambda: body(beside) == b"PK near", "on")
