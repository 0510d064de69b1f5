"""A rule that is added now hides what is cached already, in every way there is to see it, and gives
it back unharmed when it goes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from attrs import frozen

from tests.e2e import images, metadata, sample
from tests.e2e.hanging import hang
from tests.e2e.images import Image
from tests.e2e.management import CONTAINER, MAVEN, House, Registry, house
from tests.e2e.maven import Maven, header
from tests.e2e.nginx import Nginx
from tests.e2e.processes import until
from tests.e2e.skopeo import Skopeo
from tests.e2e.stored import PullFailed
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ARTIFACT = "com/acme/app"
GOOD = f"{ARTIFACT}/1.0/app-1.0.jar"
BAD = f"{ARTIFACT}/2.0/app-2.0.jar"
LIST = f"{ARTIFACT}/maven-metadata.xml"
FILES = {
    GOOD: b"PK good",
    BAD: b"PK bad",
    LIST: metadata.artifact("com.acme", "app", ["1.0", "2.0"]),
}
SUFFIXES = ("", ".sha1", ".md5", ".sha256", ".sha512")

CLEAN = images.single("team/clean")
TAINTED = images.single("team/tainted", layers=2)
OTHER_TAG = images.single("team/clean", "nightly", layers=3)


@frozen
class Kept:
    """What clients remember of an answer, and show when they ask again."""

    etag: str
    modified: str

    def conditions(self) -> list[dict[str, str]]:
        return [
            {},
            {"Range": "bytes=0-1"},
            {"Range": "bytes=99999999-"},
            {"Range": "bytes=0-1", "If-Range": self.etag},
            {"If-None-Match": self.etag},
            {"If-None-Match": f"W/{self.etag}"},
            {"If-None-Match": "*"},
            {"If-Modified-Since": self.modified},
            {"If-Match": self.etag},
            {"Accept": "text/html"},
        ]


def kept(registry: Registry, path: str) -> Kept:
    """Of what is pulled twice, so that it is kept ready too."""
    first, again = registry.pull(path), registry.pull(path)
    assert (first.status, again.status) == (200, 200), (path, first.body)
    assert first.body == again.body
    return Kept(again.headers["etag"], again.headers.get("last-modified", ""))


def settled(registry: Registry, upstream: int, paths: Sequence[str]) -> None:
    """Wait until all of them are written down: what was sent a moment ago may not be yet."""

    def missing() -> set[str]:
        listed = registry.asked("GET", f"upstreams/{upstream}/cache_entries?per_page=100")
        return set(paths) - {each["relative_path"].removeprefix("/") for each in listed}

    until(lambda: not missing(), "entry of each path")


def shown(registry: Registry, path: str, what: Kept) -> list[str]:
    """The requests for a path that are not refused for the rule, among all there are."""
    found = []
    for method in ("GET", "HEAD"):
        for condition in what.conditions():
            answer = registry.pull(path, method, condition)
            named = b"rule" in answer.body or method == "HEAD"
            if answer.status != 403 or not named or "etag" in answer.headers:
                found.append(f"{method} {path} {condition}: {answer.status} {answer.body!r}")
    return found


def listed(registry: Registry) -> list[str]:
    """Versions, of a list whose checksum is right."""
    answer = registry.pull(LIST)
    assert answer.status == 200, answer.body
    assert registry.pull(f"{LIST}.sha1").body.decode() == hashlib.sha1(answer.body).hexdigest()
    return re.findall("<version>(.+?)</version>", answer.body.decode())


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin(FILES) as origin:
        for image in (CLEAN, TAINTED, OTHER_TAG):
            hang(origin, image)
        for name, tags in ((CLEAN.name, ["1", "nightly"]), (TAINTED.name, ["1"])):
            body = json.dumps({"name": name, "tags": tags}).encode()
            kind = {"Content-Type": "application/json"}
            origin.put(f"v2/{name}/tags/list", body, headers=kind)
        yield origin


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("rules") / "virtreg") as home:
        yield home


def test_a_rule_hides_files_that_are_cached(home: House, origin: Origin) -> None:
    registry = home.admin.make(MAVEN, "hidden-files")
    upstream = registry.upstream("near", origin.url)
    before = {path: kept(registry, path) for path in (GOOD, BAD, LIST)}
    whole = {path: registry.pull(path).body for path in FILES}
    for suffix in SUFFIXES[1:]:
        assert registry.pull(BAD + suffix).status == 200
    assert listed(registry) == ["1.0", "2.0"]
    settled(registry, upstream, [*FILES])
    asked = len(origin.requests)

    def check() -> None:
        for suffix in SUFFIXES:
            assert shown(registry, BAD + suffix, before[BAD]) == []
        compatible = f"/api/v4/virtual_registries/packages/maven/{registry.id}/{BAD}"
        assert registry.by.ask("GET", compatible).status == 403
        assert registry.pull(GOOD).body == FILES[GOOD]
        assert listed(registry) == ["1.0"]
        again = registry.pull(LIST, headers={"If-None-Match": before[LIST].etag})
        assert again.status == 200
        told = registry.asked("GET", f"registries/{registry.id}/explain?path={quote(BAD)}")
        assert told["decision"] == "barred"
        assert "version" in told["upstreams"][0]["denied"]
        assert "2.*" in told["upstreams"][0]["denied"]
        assert told["upstreams"][0]["cached"] is not None

    rule = registry.deny(upstream, "version", "2.*")
    check()
    home.server.stop()
    home.server.start()
    check()
    assert len(origin.requests) == asked

    registry.allow_again(rule)
    assert {path: registry.pull(path).body for path in FILES} == whole
    assert registry.pull(BAD, headers={"If-None-Match": before[BAD].etag}).status == 304
    assert listed(registry) == ["1.0", "2.0"]
    assert len(origin.requests) == asked


def test_a_rule_hides_images_that_are_cached(home: House, origin: Origin) -> None:
    registry = home.admin.make(CONTAINER, "hidden-images")
    upstream = registry.upstream("near", origin.url)

    def paths(image: Image) -> list[str]:
        found = [f"{image.name}/manifests/{image.tag}", f"{image.name}/manifests/{image.digest}"]
        return found + [f"{image.name}/blobs/{blob.digest}" for blob in image.blobs]

    tagged = f"{OTHER_TAG.name}/manifests/{OTHER_TAG.tag}"
    every = [*paths(CLEAN), *paths(TAINTED), *paths(OTHER_TAG)]
    before = {path: kept(registry, path) for path in every}
    whole = {path: registry.pull(path).body for path in every}

    def names() -> list[str]:
        found: list[str] = registry.pull("_catalog").json["repositories"]
        return found

    def tags(name: str) -> list[str]:
        found: list[str] = registry.pull(f"{name}/tags/list").json["tags"]
        return found

    settled(registry, upstream, every)
    assert [name.rpartition("/")[2] for name in names()] == ["clean", "tainted"]
    assert sorted(tags(CLEAN.name)) == ["1", "nightly"]
    assert tags(TAINTED.name) == ["1"]
    asked = len(origin.requests)

    def check() -> None:
        for path in paths(TAINTED):
            assert shown(registry, path, before[path]) == []
        assert shown(registry, tagged, before[tagged]) == []
        assert registry.pull(f"{TAINTED.name}/tags/list").status == 403
        assert [name.rpartition("/")[2] for name in names()] == ["clean"]
        assert tags(CLEAN.name) == ["1"]
        assert [registry.pull(path).body for path in paths(CLEAN)] == [
            whole[path] for path in paths(CLEAN)
        ]
        for path in (paths(TAINTED)[0], tagged):
            told = registry.asked("GET", f"registries/{registry.id}/explain?path={quote(path)}")
            assert told["decision"] == "barred", told
            assert "rule" in json.dumps(told)

    rules = [
        registry.deny(upstream, "image", "team/tainted"),
        registry.deny(upstream, "tag", "night*"),
    ]
    check()
    home.server.stop()
    home.server.start()
    check()
    assert len(origin.requests) == asked

    for rule in rules:
        registry.allow_again(rule)
    assert {path: registry.pull(path).body for path in every} == whole
    assert sorted(tags(CLEAN.name)) == ["1", "nightly"]
    assert len(names()) == 2
    assert len(origin.requests) == asked


def test_builds_and_copies_say_that_they_are_refused(
    home: House, origin: Origin, web: Nginx, mvn: Maven, tmp_path: Path
) -> None:
    registry = home.admin.make(MAVEN, "refused-build")
    upstream = registry.upstream("everything", web.url("all"))
    project = sample.write_consumer(tmp_path / "consumer", ("com.example.lab", "catalog", "2.0"))
    url = f"http://{home.server.host}/maven/{registry.slug}"
    server = header("Private-Token", registry.by.headers["Private-Token"])
    built = mvn.run(url, project, "package", server=server)
    assert built.code == 0, built.output
    registry.deny(upstream, "version", "2.0")
    refused = mvn.run(url, project, "package", server=server)
    assert refused.code != 0
    assert "catalog" in refused.output
    assert "403" in refused.output
    assert not refused.fetched("catalog-2.0.jar")

    pictures = home.admin.make(CONTAINER, "refused-copy")
    upstream = pictures.upstream("near", origin.url)
    skopeo = Skopeo(tmp_path / "skopeo")
    login = home.accounts.token("personal", "--user", "root").login
    reference = f"{home.server.host}/{pictures.slug}/{TAINTED.name}:{TAINTED.tag}"
    assert TAINTED.digest in skopeo.copy(reference, login=login)
    pictures.deny(upstream, "image", "team/tainted")
    with pytest.raises(PullFailed) as failure:
        skopeo.copy(reference, login=login)
    assert "denied" in str(failure.value)
    assert "rule" in str(failure.value)
    assert "team/tainted" in str(failure.value)
