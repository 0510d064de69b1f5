"""A server over a bucket: what it reads of it, and where it sends its clients."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import s3fs

from tests.backends.store.weed import ACCESS_KEY, SECRET_KEY, s3_server, weed_binary
from tests.e2e.processes import until
from tests.e2e.server import Server, Setting, Upstream
from virtreg.testing.origin import Origin
from virtreg.testing.stores import pattern

pytestmark = pytest.mark.e2e

JAR = "org/example/a/1.0/a-1.0.jar"
BODY = b"PK" + pattern(3_000_000)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(weed_binary(), tmp_path_factory.mktemp("weed")) as access:
        s3fs.S3FileSystem(**access, skip_instance_cache=True).mkdir("bucket")
        yield str(access["client_kwargs"]["endpoint_url"])


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.put(JAR, BODY)
        yield origin


def server(folder: Path, origin: Origin, endpoint: str, **storage: Setting) -> Server:
    return Server(
        folder,
        [Upstream("near", origin.url, {"allow_private": ["127.0.0.0/8"]})],
        storage={"url": f"s3://bucket/{folder.name}", **storage},
        environment={
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Without following where it leads; names of headers in lower case."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request("GET", f"/{path}", headers=headers)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()
    finally:
        connection.close()


def warm(running: Server) -> None:
    url = f"{running.maven}/{JAR}"
    assert get(url)[2] == BODY
    until(lambda: get(url)[1].get("x-virtreg-cache") == "hit", f"hit, see {running.log}")


def test_clients_are_sent_to_the_bucket_and_no_log_knows_the_link(
    tmp_path: Path, origin: Origin, endpoint: str
) -> None:
    running = server(tmp_path / "sending", origin, endpoint, redirect="whole")
    running.start()
    try:
        url = f"{running.maven}/{JAR}"
        warm(running)
        status, headers, body = get(url)
        assert (status, body) == (307, b"")
        link = headers["location"]
        assert link.startswith(endpoint)
        with urlopen(link) as answer:
            assert answer.read() == BODY
        with urlopen(url) as answer:
            assert answer.read() == BODY
        assert get(url, Range="bytes=5-9")[2] == BODY[5:10]
        with urlopen(Request(url, method="HEAD")) as answer:
            assert answer.headers["Content-Length"] == str(len(BODY))
    finally:
        running.stop()
    assert "Signature" not in running.log.read_text()
    assert origin.count(JAR) == 1


@pytest.mark.parametrize("cache_bytes", [0, 1 << 30])
def test_another_node_serves_what_the_first_put(
    tmp_path: Path, origin: Origin, endpoint: str, cache_bytes: int
) -> None:
    running = server(tmp_path / f"first-{cache_bytes}", origin, endpoint, cache_bytes=cache_bytes)
    running.start()
    try:
        warm(running)
        for kept in (running.data / "cache").glob("blobs/**/*"):
            if kept.is_file():
                kept.unlink()
        for _ in range(3):
            assert get(f"{running.maven}/{JAR}")[2] == BODY
        assert (
            get(f"{running.maven}/{JAR}", Range="bytes=2000000-2000009")[2]
            == (BODY[2_000_000:2_000_010])
        )
    finally:
        running.stop()
    assert origin.count(JAR) == 1
