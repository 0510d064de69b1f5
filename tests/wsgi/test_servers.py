"""The application under the WSGI servers people run, each as a process of its own."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.wsgi.doors import Connected
from tests.wsgi.servers import SERVERS, running
from tests.wsgi.sites import JAR, LARGE_BODY, METADATA, MIDDLE_BODY, POM, SMALL_BODY, metadata
from virtreg.testing.origin import Origin

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin({POM: SMALL_BODY, JAR: LARGE_BODY, METADATA: metadata("1.0")}) as origin:
        yield origin


@pytest.fixture(scope="module", params=SERVERS)
def door(
    request: pytest.FixtureRequest, origin: Origin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connected]:
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    config = f"""
        [[upstream]]
        name = "near"
        url = "{origin.url}"
        allow_private = ["127.0.0.0/8"]
        [[registry]]
        id = 7
        name = "solo"
        format = "maven"
        upstreams = ["near"]
        """
    with running(name, folder, config) as door:
        yield door


def url(path: str) -> str:
    return f"/maven/solo/{path}"


def fresh(origin: Origin, path: str, door: Connected) -> str:
    """The same file under a path that this server has not been asked for."""
    twin = path.replace("thing", f"thing{door.port}")
    found = {POM: SMALL_BODY, JAR: LARGE_BODY}[path]
    origin.put(twin, found)
    return url(twin)


@pytest.mark.parametrize("path", [POM, JAR, METADATA, f"{POM}.sha1"])
def test_head_has_the_headers_of_get(door: Connected, path: str) -> None:
    while (warm := door.ask("GET", url(path)))["X-Virtreg-Cache"] != "hit":
        assert warm.status == 200
    for _ in range(2):
        without, full = door.ask("HEAD", url(path)), door.ask("GET", url(path))
        assert (without.status, without.ours) == (200, full.ours)
        assert without["Content-Length"] == str(len(full.body))


@pytest.mark.parametrize(
    ("target", "status"),
    [(url("absent.pom"), 404), ("/maven/nobody/x", 404), (url("a%25b"), 400), ("/-/health", 200)],
)
def test_head_of_other_answers_has_the_headers_of_get(
    door: Connected, target: str, status: int
) -> None:
    # The very first answer tells what the upstream said, later ones that it is remembered.
    door.ask("GET", target)
    for _ in range(2):
        without, full = door.ask("HEAD", target), door.ask("GET", target)
        assert (without.status, full.status, without.ours) == (status, status, full.ours)
        assert without["Content-Length"] == str(len(full.body))


@pytest.mark.parametrize(("path", "body"), [(POM, SMALL_BODY), (JAR, LARGE_BODY)])
def test_ranges_cold_and_warm(door: Connected, origin: Origin, path: str, body: bytes) -> None:
    target = fresh(origin, path, door)
    for _ in range(3):
        for header, start, stop in (("bytes=2-5", 2, 6), ("bytes=-4", len(body) - 4, len(body))):
            answer = door.ask("GET", target, {"Range": header})
            assert (answer.status, answer.body) == (206, body[start:stop])
            assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{len(body)}"
        several = door.ask("GET", target, {"Range": "bytes=0-1,7-8"})
        assert several["Content-Type"].startswith("multipart/byteranges")
        assert several["Content-Length"] == str(len(several.body))
        refused = door.ask("GET", target, {"Range": "bytes=99999999-"})
        assert (refused.status, refused["Content-Range"]) == (416, f"bytes */{len(body)}")


def test_answers_without_a_body_leave_the_connection_usable(door: Connected) -> None:
    tag = door.ask("GET", url(POM))["ETag"]
    asked: list[tuple[str, dict[str, str], int, bytes]] = [
        ("HEAD", {}, 200, b""),
        ("GET", {"If-None-Match": tag}, 304, b""),
        ("HEAD", {"If-None-Match": tag}, 304, b""),
        ("GET", {}, 200, SMALL_BODY),
    ]
    with closing(http.client.HTTPConnection("127.0.0.1", door.port, timeout=60)) as connection:
        for method, headers, status, body in asked:
            connection.request(method, url(POM), headers=headers)
            with connection.getresponse() as response:
                assert (response.status, response.read()) == (status, body)
                assert (response.getheader("Content-Type") is None) == (status == 304)


def test_whole_files_arrive(door: Connected, origin: Origin) -> None:
    target = fresh(origin, JAR, door)
    for _ in range(3):
        assert door.ask("GET", target).body == LARGE_BODY


def looks_whole(door: Connected, path: str) -> bool:
    try:
        return door.ask("GET", url(path)).status == 200
    except (http.client.IncompleteRead, ConnectionError):
        return False


def test_a_download_that_breaks_off_is_a_cut_connection(door: Connected, origin: Origin) -> None:
    broken = f"broken/{door.port}.jar"
    # Without validators it cannot be resumed, and it breaks off at the same place again.
    origin.put(broken, LARGE_BODY, cut_after=400_000, conditional=False)
    with closing(http.client.HTTPConnection("127.0.0.1", door.port, timeout=60)) as connection:
        connection.request("GET", url(broken))
        with connection.getresponse() as response:
            assert response.status == 200
            with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                response.read()


@pytest.mark.parametrize("sized", [True, False])
def test_no_failed_download_looks_whole(door: Connected, origin: Origin, sized: bool) -> None:
    broken, lying = (f"{what}/{door.port}-{sized}.jar" for what in ("broken", "lying"))
    origin.put(broken, LARGE_BODY, cut_after=400_000, conditional=False, chunked=not sized)
    origin.put(lying, LARGE_BODY, chunked=not sized)
    origin.put(f"{lying}.sha1", b"0" * 40)
    assert not looks_whole(door, broken)
    assert not looks_whole(door, lying)


def test_a_path_that_is_not_utf_8_is_refused(door: Connected) -> None:
    answer = door.ask("GET", url("%ff.pom"))
    assert (answer.status, answer.problem["detail"]) == (400, "path: is not UTF-8")


def test_a_path_is_decoded_once(door: Connected, origin: Origin) -> None:
    origin.put("größe/a b+c.txt", MIDDLE_BODY)
    assert door.ask("GET", url("gr%C3%B6%C3%9Fe/a%20b+c.txt")).body == MIDDLE_BODY


def test_dot_segments_go_nowhere(door: Connected, origin: Origin) -> None:
    for path in ("a/../b.pom", "a/%2e%2e/b.pom", "../../etc/passwd"):
        assert door.ask("GET", url(path)).status in (400, 404), path
    assert not [seen for seen in origin.requests if "b.pom" in seen.path or "etc" in seen.path]


def test_an_encoded_slash_is_refused_where_the_server_tells_of_it(door: Connected) -> None:
    plain = door.ask("GET", url(POM))
    answer = door.ask("GET", url(POM.replace("/", "%2f", 1)))
    if plain["Server"].startswith(("granian", "WSGIServer")):
        # They hand on the decoded path only: the slash is a slash like any other.
        assert (answer.status, answer.body) == (200, plain.body)
    else:
        assert answer.status == 400
        assert answer.problem["detail"] == "path: contains an encoded slash"
