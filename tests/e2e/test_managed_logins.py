"""A password that is given to the API is used at its upstream, and is to be found nowhere else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e import images, marked
from tests.e2e.hanging import content, told
from tests.e2e.management import CONTAINER, MAVEN, House, Registry, house
from virtreg.testing.origin import Origin, basic

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

FILE = "com/acme/app/1.0/app-1.0.jar"
OTHER = "com/acme/app/2.0/app-2.0.jar"
USER = "reader"
IMAGE = images.single("team/app")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("logins") / "virtreg") as home:
        yield home


@pytest.fixture(scope="module")
def password() -> str:
    return marked.SECRETS.make("a password of an upstream")


@pytest.fixture
def guarded(password: str) -> Iterator[Origin]:
    login = basic(USER, password)
    with Origin() as origin:
        for path in (FILE, OTHER, "com/company/app/maven-metadata.xml"):
            origin.put(path, b"PK guarded", require=login)
        tag = f"v2/{IMAGE.name}/manifests/{IMAGE.tag}"
        origin.put(tag, IMAGE.top.body, require=login, headers=told(IMAGE.top))
        for blob in IMAGE.blobs:
            path = f"v2/{IMAGE.name}/blobs/{blob.digest}"
            origin.put(path, content(blob), require=login)
        yield origin


@pytest.fixture
def elsewhere() -> Iterator[Origin]:
    """Wants no login, and has what the other one has."""
    with Origin({FILE: b"PK free", OTHER: b"PK free"}) as origin:
        yield origin


def shown_to(origin: Origin) -> set[str | None]:
    """The logins that an origin was shown."""
    return {
        next(
            (value for name, value in seen.headers.items() if name.lower() == "authorization"), None
        )
        for seen in origin.requests
    }


def virtreg(home: House, *arguments: str) -> str:
    command = [sys.executable, "-m", "virtreg", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert marked.SECRETS.found(" ".join(arguments), said.encode()) == []
    return said


def upstream_with(registry: Registry, origin: Origin, password: str) -> int:
    return registry.upstream("guarded", origin.url, username=USER, password=password)


def test_a_password_is_used_and_never_shown(home: House, guarded: Origin, password: str) -> None:
    registry = home.admin.make(MAVEN, "guarded")
    upstream = upstream_with(registry, guarded, password)
    assert registry.pull(FILE).body == b"PK guarded"
    assert basic(USER, password)[1] in shown_to(guarded)
    # Every answer is searched for secrets where it is received.
    whole = registry.asked("GET", f"upstreams/{upstream}")
    assert whole["username"] == USER
    assert "password" not in whole
    registry.asked("GET", f"registries/{registry.id}/explain?path={OTHER}")
    registry.asked("GET", f"registries/{registry.id}/upstreams")
    assert registry.asked("GET", f"upstreams/{upstream}/test") == {"success": True}
    wrong = {"username": USER, "password": password + "no"}
    refused = registry.asked("POST", f"upstreams/{upstream}/test", wrong)
    assert refused["success"] is False
    for sent in (
        {"password": password},
        {"username": "bad:name", "password": password},
        {"name": "", "password": password},
        {"url": password},
        {password: "x"},
        [password],
    ):
        assert registry.ask("PATCH", f"upstreams/{upstream}", sent).status in (200, 400), sent
    config = str(home.server.config)
    assert USER in virtreg(home, "upstream", "show", str(upstream), "--config", config)
    # Bytes on the disk, the databases and logs among them.
    assert marked.found_below(home.server.folder) == []
    home.server.stop()
    home.server.start()
    assert registry.pull(OTHER).body == b"PK guarded"


def test_a_password_of_a_registry_of_images(home: House, guarded: Origin, password: str) -> None:
    registry = home.admin.make(CONTAINER, "guarded-images")
    upstream_with(registry, guarded, password)
    assert registry.pull(f"{IMAGE.name}/manifests/{IMAGE.tag}").body == IMAGE.top.body
    for blob in IMAGE.blobs:
        assert registry.pull(f"{IMAGE.name}/blobs/{blob.digest}").body == content(blob)


def test_another_url_takes_the_password_away(
    home: House, guarded: Origin, elsewhere: Origin, password: str
) -> None:
    registry = home.admin.make(MAVEN, "moving")
    upstream = upstream_with(registry, guarded, password)
    assert registry.pull(FILE).body == b"PK guarded"
    changed = registry.asked("PATCH", f"upstreams/{upstream}", {"url": elsewhere.url})
    assert changed["username"] is None
    assert registry.pull(FILE).body == b"PK free"
    assert registry.asked("GET", f"upstreams/{upstream}/test")["success"] is True
    # Back again: what is gone is gone.
    registry.asked("PATCH", f"upstreams/{upstream}", {"url": guarded.url})
    asked = len(guarded.requests)
    assert registry.pull(OTHER).status >= 400
    assert len(guarded.requests) > asked
    assert shown_to(elsewhere) == {None}
    for seen in guarded.requests[asked:]:
        assert "authorization" not in {name.lower() for name in seen.headers}


def test_a_redirect_elsewhere_is_not_shown_the_password(
    home: House, guarded: Origin, elsewhere: Origin, password: str
) -> None:
    place = f"{elsewhere.named_url}/{FILE}"
    guarded.put(FILE, require=basic(USER, password), redirect=place)
    registry = home.admin.make(MAVEN, "redirected")
    upstream = upstream_with(registry, guarded, password)
    assert registry.pull(FILE).body == b"PK free"
    assert registry.asked("GET", f"upstreams/{upstream}/test")["success"] is True
    assert shown_to(elsewhere) == {None}


def test_another_password_is_in_force_at_once(home: House, password: str) -> None:
    newer = marked.SECRETS.make("a newer password")
    registry = home.admin.make(MAVEN, "renewed")
    with Origin() as origin:
        origin.put(FILE, b"PK old", require=basic(USER, password))
        origin.put(OTHER, b"PK new", require=basic(USER, newer))
        upstream = upstream_with(registry, origin, password)
        assert registry.pull(FILE).body == b"PK old"
        login = {"username": USER, "password": newer}
        registry.asked("PATCH", f"upstreams/{upstream}", login)
        assert registry.pull(OTHER).body == b"PK new"
        # The same user: what is cached stays.
        asked = len(origin.requests)
        assert registry.pull(FILE).body == b"PK old"
        assert len(origin.requests) == asked
