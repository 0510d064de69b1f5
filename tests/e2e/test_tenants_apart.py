"""Two groups on one server and one cache: what one holds makes no difference to the other, down to
the bytes of an answer."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from attrs import frozen

from tests.e2e import images, marked
from tests.e2e.accounts import Accounts
from tests.e2e.hanging import hang
from tests.e2e.images import Image
from tests.e2e.server import Server, Setting, Upstream
from tests.e2e.tenants import USER, WRONG, Tenants, basic, bearer
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

APP = images.single("team/app")
FILE = "com/acme/app/1/app-1.jar"
ABSENT = {
    "app": "xyz",
    "theirs": "nobody",
    APP.digest: f"sha256:{'0' * 64}",
    APP.blobs[0].digest: f"sha256:{'1' * 64}",
    APP.blobs[1].digest: f"sha256:{'2' * 64}",
}
"""What stands in a path that nobody holds, for what stands in one that ``others`` hold; of the
same length, so that the lengths of answers say nothing either."""

Shown = Mapping[str, str]


@frozen
class House:
    """The group ``team`` has the registry ``main`` over one upstream, ``others`` have ``theirs``
    over another, ``far``, which has everything there is."""

    tenants: Tenants
    far: Origin
    holder: Shown
    """Who may pull from ``theirs``, by HTTP Basic."""

    def exchange(self, method: str, path: str, shown: Shown) -> bytes:
        """All of the answer but its date and the number of the request."""
        server = self.tenants.server
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request(method, path, headers=dict(shown))
            answer = connection.getresponse()
            told = [f"{answer.version} {answer.status} {answer.reason}"]
            told += [
                f"{name}: {value}"
                for name, value in answer.getheaders()
                if name not in ("date", "x-request-id")
            ]
            whole = "\n".join(told).encode() + b"\n\n" + answer.read()
        finally:
            connection.close()
        assert marked.SECRETS.found(path, whole) == []
        return whole

    def tells_apart(self, path: str, absent: str, part: str, shown: Shown, etag: str) -> list[str]:
        """The requests whose answers differ by more than the part of the path."""
        conditions: list[Shown] = [
            {},
            {"Range": "bytes=0-3"},
            {"Range": "bytes=99999999-"},
            {"If-None-Match": etag},
            {"If-None-Match": "*"},
            {"If-Match": etag},
            {"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"},
        ]
        found = []
        for method, condition in product(("GET", "HEAD"), conditions):
            there = self.exchange(method, path, {**shown, **condition})
            nowhere = self.exchange(method, absent, {**shown, **condition})
            if there != nowhere.replace(ABSENT[part].encode(), part.encode()):
                found.append(f"{method} {path} {condition}: {there!r} and {nowhere!r}")
            assert there.split()[1] in (b"401", b"404"), there
        return found


@contextmanager
def _house(folder: Path, kind: str) -> Iterator[House]:
    with Origin() as near, Origin({FILE: b"PK of others"}) as far:
        hang(far, APP)
        settings: dict[str, Setting] = {"group": "team", "upstreams": ["near"]}
        server = Server(
            folder,
            [Upstream("near", near.url), Upstream("far", far.url)],
            format=kind,
            settings=settings,
            also={"theirs": {"group": "others", "upstreams": ["far"]}},
            tables={"access": {"enabled": True}, "limits": {"failed_logins": 0, "requests": 0}},
        )
        server.start()
        try:
            accounts = Accounts(server.config)
            accounts.add_member("team", USER)
            holder = accounts.token("deploy", "--group", "others").login
            yield House(Tenants(server, accounts), far, basic(holder))
        finally:
            server.stop()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with _house(tmp_path_factory.mktemp("apart") / "virtreg", "container") as house:
        yield house


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with _house(tmp_path_factory.mktemp("apart") / "virtreg", "maven") as house:
        yield house


def _etag(whole: bytes) -> str:
    """Of an answer that is 200."""
    lines = whole.decode("latin-1").splitlines()
    assert lines[0] == "11 200 OK", whole
    [etag] = [line.partition(": ")[2] for line in lines if line.lower().startswith("etag: ")]
    return etag


def _callers(house: House, image: Image | None) -> dict[str, Shown]:
    token = house.tenants.personal()
    callers: dict[str, Shown] = {
        "nobody": {},
        "a wrong password": basic((USER, WRONG)),
        "a wrong token": {"Private-Token": WRONG},
        "the other group's member": basic(token.login),
        "the other group's member by header": {"Private-Token": token.secret},
    }
    if image is not None:
        for registry in ("main", "theirs", "nowhere"):
            for name in (image.name, image.name.replace("app", ABSENT["app"])):
                asked = f"{registry}/{name}"
                callers[f"a grant for {asked}"] = bearer(house.tenants.grant(asked, token.login))
    return callers


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (f"manifests/{APP.tag}", "app"),
        ("tags/list", "app"),
        (f"manifests/{APP.digest}", APP.digest),
        (f"blobs/{APP.blobs[0].digest}", APP.blobs[0].digest),
        (f"blobs/{APP.blobs[1].digest}", APP.blobs[1].digest),
        (f"referrers/{APP.digest}", APP.digest),
    ],
    ids=["tag", "tags", "manifest", "config", "layer", "referrers"],
)
def test_images_of_others_are_as_those_that_nobody_has(
    path: str, part: str, pictures: House
) -> None:
    theirs = f"/v2/theirs/{APP.name}/{path}"
    etag = '"x"'
    if not path.startswith(("tags", "referrers")):
        grant = pictures.tenants.ask(
            f"/jwt/auth?service=virtreg&scope=repository:theirs/{APP.name}:pull",
            headers=pictures.holder,
        )
        etag = _etag(pictures.exchange("GET", theirs, bearer(grant)))
    asked = len(pictures.far.requests)
    found: list[str] = []
    for caller, shown in _callers(pictures, APP).items():
        # Through the registry that holds it, and through one that cannot reach it. There the list
        # of what refers to it is an empty one, as it is for everything.
        for registry in ("theirs",) if path.startswith("referrers") else ("theirs", "main"):
            there = theirs.replace("/theirs/", f"/{registry}/")
            absent = there.replace(part, ABSENT[part])
            if "main" in caller and registry == "main" and part == "app":
                continue  # a grant names one image: the other is refused for that
            told = pictures.tells_apart(there, absent, part, shown, etag)
            found += [f"{caller}: {one}" for one in told]
    assert found == []
    assert len(pictures.far.requests) == asked


@pytest.mark.parametrize("suffix", ["", ".sha1"])
def test_files_of_others_are_as_those_that_nobody_has(suffix: str, packages: House) -> None:
    theirs = f"/maven/theirs/{FILE}{suffix}"
    etag = _etag(packages.exchange("GET", theirs, packages.holder))
    asked = len(packages.far.requests)
    found: list[str] = []
    for caller, shown in _callers(packages, None).items():
        for registry in ("theirs", "main"):
            there = theirs.replace("/theirs/", f"/{registry}/")
            absent = there.replace("app", ABSENT["app"])
            told = packages.tells_apart(there, absent, "app", shown, etag)
            found += [f"{caller}: {one}" for one in told]
    assert found == []
    assert len(packages.far.requests) == asked


@pytest.mark.parametrize("path", [f"{APP.name}/manifests/{APP.tag}", "_catalog", ""])
def test_a_registry_of_images_of_others_is_as_none(path: str, pictures: House) -> None:
    there, nowhere = f"/v2/theirs/{path}", f"/v2/{ABSENT['theirs']}/{path}"
    found: list[str] = []
    for caller, shown in _callers(pictures, APP).items():
        told = pictures.tells_apart(there, nowhere, "theirs", shown, '"x"')
        found += [f"{caller}: {one}" for one in told]
    assert found == []


def test_a_registry_of_files_of_others_is_as_none(packages: House) -> None:
    there, nowhere = f"/maven/theirs/{FILE}", f"/maven/{ABSENT['theirs']}/{FILE}"
    found: list[str] = []
    for caller, shown in _callers(packages, None).items():
        told = packages.tells_apart(there, nowhere, "theirs", shown, '"x"')
        found += [f"{caller}: {one}" for one in told]
    assert found == []
