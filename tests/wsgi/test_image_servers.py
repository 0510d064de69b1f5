"""Images from a real upstream, under the WSGI servers people run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count

import pytest
from attrs import evolve

from tests.wsgi.answers import Answer
from tests.wsgi.doors import PREFIXES, Connected
from tests.wsgi.images import INDEX_TYPE, LARGE_LAYER, MANIFEST_TYPE, TAGS, code, digest, image
from tests.wsgi.servers import DEVELOPMENT, SERVERS, running
from virtreg.testing.origin import Origin

pytestmark = pytest.mark.e2e

SHAPES = ["/v2/virtual_registries/container/3/", "/v2/images/", "/images/v2/", "/v2/"]
_fresh = count()


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module", params=[*SERVERS, DEVELOPMENT])
def server(
    request: pytest.FixtureRequest, origin: Origin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connected]:
    config = f"""
        [[upstream]]
        name = "near"
        url = "{origin.url}"
        allow_private = ["127.0.0.0/8"]
        [[registry]]
        id = 3
        name = "images"
        format = "container"
        upstreams = ["near"]
        """
    name: str = request.param
    with running(name, tmp_path_factory.mktemp(name), config, "twice") as door:
        yield door


@pytest.fixture(params=PREFIXES)
def door(request: pytest.FixtureRequest, server: Connected) -> Connected:
    return evolve(server, prefix=request.param)


def published(origin: Origin) -> tuple[str, dict[str, bytes]]:
    """An image that nobody has asked for, of bytes that nobody has: its name and its paths."""
    number = next(_fresh)
    files = image(f"team/app-{number}", b" " * number)
    for path, body in files.items():
        kind = MANIFEST_TYPE if "/manifests/" in path else "application/json"
        headers = {"Content-Type": kind, "Docker-Content-Digest": digest(body)}
        origin.put(f"v2/{path}", body, headers=headers)
    return f"team/app-{number}", files


def layer(files: dict[str, bytes], least: int) -> tuple[str, bytes]:
    """The path and the bytes of a blob."""
    return next(
        (path, body) for path, body in files.items() if "/blobs/" in path and len(body) >= least
    )


def kept(door: Connected, target: str) -> None:
    """Ask until the answer comes from the cache."""
    while (answer := door.ask("GET", target)).origin != "hit":
        assert answer.status == 200


def head_as_get(door: Connected, target: str) -> Answer:
    without, full = door.ask("HEAD", target), door.ask("GET", target)
    assert without.ours == full.ours
    assert (without.status, without.body) == (full.status, b"")
    assert full["Content-Length"] == str(len(full.body))
    assert full.body
    return full


@pytest.mark.parametrize("shape", SHAPES)
def test_head_says_what_get_says_cold_and_warm(door: Connected, origin: Origin, shape: str) -> None:
    for path, body in published(origin)[1].items():
        without, cold = door.ask("HEAD", shape + path), door.ask("GET", shape + path)
        assert (without.status, without.body) == (200, b"")
        assert (cold.status, cold.body) == (200, body)
        # Where HEAD has fetched the body, GET finds it.
        assert {**without.ours, "x-virtreg-cache": cold.origin} == cold.ours
        if "/blobs/" in path:
            assert without.origin == cold.origin == "miss"
        kept(door, shape + path)
        for _ in range(2):
            warm = head_as_get(door, shape + path)
            assert (warm.origin, warm.body) == ("hit", body)


@pytest.mark.parametrize("shape", SHAPES)
def test_head_of_what_is_refused_says_what_get_says(door: Connected, shape: str) -> None:
    for path, status, expected in (
        ("team/none/manifests/latest", 404, "MANIFEST_UNKNOWN"),
        (f"team/none/blobs/{digest(b'none')}", 404, "BLOB_UNKNOWN"),
        ("team/none/blobs/sha256:0", 400, "DIGEST_INVALID"),
        ("team/none/tags/list", 404, "NAME_UNKNOWN"),
        ("team/none/referrers/latest", 400, "DIGEST_INVALID"),
        ("team/none/tags/list?n=x", 404, "NAME_UNKNOWN"),
        ("team", 404, "NAME_UNKNOWN"),
        ("UPPER/manifests/latest", 400, "NAME_INVALID"),
    ):
        # The very first answer tells what the upstream said, later ones that it is remembered.
        door.ask("GET", shape + path)
        for _ in range(2):
            answer = head_as_get(door, shape + path)
            assert (answer.status, code(answer)) == (status, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_head_of_a_view_says_what_get_says(door: Connected, origin: Origin, shape: str) -> None:
    name, files = published(origin)
    referrers = next(path for path in files if "/referrers/" in path)
    for view in (
        f"{name}/tags/list?n=2",
        f"{name}/tags/list?last=v3",
        f"{name}/tags/list?n=0",
        f"{referrers}?artifactType=application/x.sbom",
    ):
        kept(door, shape + view)
        answer = head_as_get(door, shape + view)
        assert ("Link" in answer) is view.endswith("n=2")
        assert ("OCI-Filters-Applied" in answer) is ("artifactType" in view)


def test_head_of_an_index_that_nobody_has(door: Connected) -> None:
    target = f"/v2/team/none/referrers/{digest(door.prefix.encode())}"
    kept(door, target)
    answer = head_as_get(door, target)
    assert (answer["Content-Type"], json.loads(answer.body)["manifests"]) == (INDEX_TYPE, [])


def test_head_of_an_empty_blob(door: Connected, origin: Origin) -> None:
    path = f"team/app-{next(_fresh)}/blobs/{digest(b'')}"
    origin.put(f"v2/{path}", b"")
    for _ in range(2):
        without, full = door.ask("HEAD", f"/v2/{path}"), door.ask("GET", f"/v2/{path}")
        assert {**without.ours, "x-virtreg-cache": full.origin} == full.ours
        assert (full.status, full["Content-Length"], full.body) == (200, "0", b"")


@pytest.mark.parametrize("least", [0, len(LARGE_LAYER)])
def test_the_first_to_ask_may_ask_for_a_range(door: Connected, origin: Origin, least: int) -> None:
    path, body = layer(published(origin)[1], least)
    answer = door.ask("GET", f"/v2/{path}", {"Range": "bytes=-9"})
    assert (answer.status, answer.body) == (206, body[-9:])
    whole = door.ask("GET", f"/v2/{path}")
    assert (whole.status, whole.body) == (200, body)


def test_pings(door: Connected) -> None:
    for root in ("/v2", *SHAPES):
        assert head_as_get(door, root).body == b"{}"


def test_pages(door: Connected, origin: Origin) -> None:
    target: str = f"/v2/{published(origin)[0]}/tags/list?n=3"
    kept(door, target)
    found: list[str] = []
    for _ in range(3):
        answer = head_as_get(door, target)
        found += json.loads(answer.body)["tags"]
        if "Link" in answer:
            target = answer["Link"].partition(">")[0].removeprefix("<" + door.prefix)
    assert found == TAGS


def test_an_unknown_namespace(door: Connected) -> None:
    target = "/v2/team/app/manifests/latest?ns=nowhere.test"
    answer = head_as_get(door, target)
    assert (answer.status, code(answer)) == (404, "NAME_UNKNOWN")


def test_a_known_namespace_is_told(door: Connected, origin: Origin) -> None:
    name, files = published(origin)
    target = f"/v2/{name}/manifests/latest?ns=127.0.0.1:{origin.port}"
    for _ in range(3):
        answer = door.ask("GET", target)
        assert answer.body == files[f"{name}/manifests/latest"]
        assert answer["OCI-Namespace"] == f"127.0.0.1:{origin.port}"


def test_escaped_digests(door: Connected, origin: Origin) -> None:
    path, body = layer(published(origin)[1], 0)
    target = f"/v2/{path}".replace(":", "%3A")
    assert [door.ask("GET", target).body for _ in range(3)] == [body] * 3


@pytest.mark.parametrize("least", [0, len(LARGE_LAYER)])
def test_ranges_of_blobs(door: Connected, origin: Origin, least: int) -> None:
    path, body = layer(published(origin)[1], least)
    target, size = f"/v2/{path}", len(body)
    for _ in range(3):
        for asked, start, stop in (
            ("0-99", 0, 100),
            ("100-", 100, size),
            ("-7", size - 7, size),
            (f"0-{size * 2}", 0, size),
        ):
            answer = door.ask("GET", target, {"Range": f"bytes={asked}"})
            assert (answer.status, answer.body) == (206, body[start:stop])
            assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
        for unsatisfiable in (f"{size}-", "500-0"):
            answer = door.ask("GET", target, {"Range": f"bytes={unsatisfiable}"})
            assert (answer.status, answer["Content-Range"]) == (416, f"bytes */{size}")
            assert code(answer)
        head = door.ask("HEAD", target, {"Range": "bytes=0-99"})
        assert (head.status, head["Content-Length"]) == (200, str(size))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing(door: Connected, method: str) -> None:
    answer = door.ask(method, "/v2/team/app/blobs/uploads/")
    assert (answer.status, code(answer), answer["Allow"]) == (405, "UNSUPPORTED", "GET, HEAD")
