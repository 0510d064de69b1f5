"""A disk that is full, or becomes full in the middle of a download: everybody is served."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen
from werkzeug.test import create_environ, run_wsgi_app

from tests.faults.disk import Disk, small_disk
from virtreg import Assembly, Config, RegistrySpec, StorageConfig, UpstreamSpec, build
from virtreg.testing.origin import Gate, Origin

pytestmark = pytest.mark.e2e

MIB = 1024 * 1024
PROJECT = "org/example/thing"
LARGE = f"{PROJECT}/1.0/thing-1.0.bin"
SMALL = f"{PROJECT}/1.0/thing-1.0.pom"
METADATA = f"{PROJECT}/maven-metadata.xml"
BODY = hashlib.shake_256(b"large").digest(40 * MIB)
CLAIMED = {"x-checksum-sha1": hashlib.sha1(BODY).hexdigest()}
DOCUMENT = (
    b"<metadata><groupId>org.example</groupId><artifactId>thing</artifactId>"
    b"<versioning><versions><version>1.0</version></versions></versioning></metadata>"
)


@frozen
class Place:
    origin: Origin
    disk: Disk
    assembly: Assembly

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        environ = create_environ(f"/maven/main/{path}", headers=headers)
        body, status, _ = run_wsgi_app(self.assembly.app, environ)
        try:
            return int(status[:3]), b"".join(body)
        finally:
            getattr(body, "close", lambda: None)()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Origin() as origin, small_disk(tmp_path / "small", 128 * MIB) as disk:
        upstream = UpstreamSpec("near", origin.url, allow_private=("127.0.0.0/8",))
        registry = RegistrySpec(1, "main", "maven", (upstream,))
        config = Config((registry,), storage=StorageConfig(disk.folder / "data"))
        with build(config) as assembly:
            yield Place(origin, disk, assembly)


def test_a_full_disk_keeps_nothing_and_serves_all(place: Place) -> None:
    place.origin.put(LARGE, BODY, headers=CLAIMED)
    place.origin.put(SMALL, b"<project/>")
    place.origin.put(METADATA, DOCUMENT)
    place.disk.fill()
    with ThreadPoolExecutor(4) as threads:
        for status, body in threads.map(place.get, [LARGE] * 4):
            assert (status, body == BODY) == (200, True)
    assert place.get(LARGE, Range="bytes=30000000-30000999") == (206, BODY[30_000_000:30_001_000])
    for _ in range(2):
        assert place.get(SMALL) == (200, b"<project/>")
        assert place.get(METADATA) == (200, DOCUMENT)
    checksum = hashlib.sha1(BODY).hexdigest().encode()
    assert place.get(f"{LARGE}.sha1") == (200, checksum)
    assert place.assembly.stats()["active"] == 0
    place.disk.relieve()
    assert place.get(LARGE) == (200, BODY)


def test_a_disk_that_fills_up_in_the_middle_of_a_download_cuts_nobody_off(place: Place) -> None:
    stall = Gate()
    place.origin.put(LARGE, BODY, headers=CLAIMED, stall_after=8 * MIB, stall=stall, only_times=1)
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(place.get, LARGE) for _ in range(4)]
        stall.await_arrival()
        place.disk.fill()
        stall.release()
        for answer in answers:
            status, body = answer.result(60)
            assert (status, body == BODY) == (200, True)
    place.disk.relieve()
    assert place.get(LARGE) == (200, BODY)
