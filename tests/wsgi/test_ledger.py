from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.wsgi.conftest import Sites
from tests.wsgi.sites import JAR, LARGE_BODY, METADATA, POM, SMALL_BODY, Site
from virtreg import ServerConfig
from virtreg.backends.index import open_index
from virtreg.errors import StorageError
from virtreg.wsgi.ledger import INTERVAL, MOST, Ledger


def downloads(site: Site, path: str, source: str | None = None) -> tuple[int, float | None]:
    site.assembly.ledger.flush()
    return site.assembly.index.downloads(source or site.near_key, path)


def test_every_download_of_a_file_is_counted(site: Site) -> None:
    for times in range(1, 4):  # from upstream, from the cache, ready
        site.get(POM)
        site.witness.await_filled(POM)
        assert downloads(site, POM) == (times, site.clock())
        site.clock.advance(60)


def test_what_came_from_the_cache_is_told_apart(quick_site: Site) -> None:
    site, ledger = quick_site, quick_site.assembly.ledger
    site.fill(POM)
    site.fill(JAR)
    for _ in range(3):
        site.get(POM)
        site.head(POM)
    ledger.flush()
    assert ledger.served(site.near_key) == (3, 2)
    assert ledger.served("nobody") == (0, 0)


def test_only_downloads_are_counted(site: Site) -> None:
    tag = site.make_ready(POM)["ETag"]
    site.head(POM)
    site.get(POM, {"If-None-Match": tag})
    for _ in range(3):
        site.get(f"{POM}.sha1")
        site.get("absent.pom")
    assert downloads(site, POM) == (2, site.clock())
    assert downloads(site, f"{POM}.sha1") == (0, None)
    assert downloads(site, "absent.pom") == (0, None)


def test_merged_documents_are_counted_for_their_registry(site: Site) -> None:
    site.merge()
    before, _ = downloads(site, METADATA, site.assembly.registries["main"].spec.key)
    site.get(METADATA, registry="main")
    after, _ = downloads(site, METADATA, site.assembly.registries["main"].spec.key)
    assert after == before + 1
    assert downloads(site, METADATA) == (0, None)


def test_totals_begin_at_zero(quick_site: Site) -> None:
    names = ("requests", "hits", "misses", "errors", "bytes", "active")
    assert quick_site.assembly.stats() == dict.fromkeys(names, 0)


def test_totals_tell_hits_misses_errors_and_bytes(site: Site) -> None:
    site.make_ready(POM)
    site.get(POM)
    site.head(POM)
    site.near.put("broken.pom", status=500)
    broken = site.get("broken.pom")
    site.head("broken-too.pom")
    site.assembly.ledger.flush()
    assert site.assembly.stats() == {
        "requests": 6,
        "hits": 3,
        "misses": 2,
        "errors": 1,
        "bytes": 3 * len(SMALL_BODY) + len(broken.body),
        "active": 0,
    }


class Collected(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def collected() -> Iterator[Collected]:
    logger = logging.getLogger("virtreg.access")
    before = logger.level, logger.disabled, logger.propagate
    handler = Collected()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.disabled = logger.propagate = False
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before[0])
    _, logger.disabled, logger.propagate = before


FACTS = ("at", "method", "path", "status", "bytes", "cache")


def facts(site: Site, collected: Collected) -> list[tuple[object, ...]]:
    site.assembly.ledger.flush()
    return [tuple(getattr(record, name) for name in FACTS) for record in collected.records]


def test_the_access_log_has_one_record_each(sites: Sites, collected: Collected) -> None:
    site = sites(server=ServerConfig(access_log=True))
    tag = site.make_ready(POM)["ETag"]
    at = site.clock()
    site.clock.advance(5)
    site.get(POM)
    site.get(POM, {"If-None-Match": tag})
    site.get(POM, {"Range": "bytes=0-1"})
    site.head(POM)
    site.fill(JAR)
    absent = site.head("absent.pom")
    url, size = f"/maven/solo/{POM}", len(SMALL_BODY)
    assert absent.status == 404
    assert facts(site, collected) == [
        (at, "GET", url, 200, size, "miss"),
        (at, "GET", url, 200, size, "hit"),
        (at + 5, "GET", url, 200, size, "hit"),
        (at + 5, "GET", url, 304, 0, "hit"),
        (at + 5, "GET", url, 206, 2, "hit"),
        (at + 5, "HEAD", url, 200, 0, "hit"),
        (at + 5, "GET", f"/maven/solo/{JAR}", 200, len(LARGE_BODY), "miss"),
        (at + 5, "HEAD", "/maven/solo/absent.pom", 404, 0, "not_found"),
    ]
    assert collected.records[0].getMessage() == f"GET {url} 200"


def test_a_path_cannot_begin_a_line_of_the_log(sites: Sites, collected: Collected) -> None:
    site = sites(server=ServerConfig(access_log=True))
    assert site.get("a%0aGET%20/forged%20200%1b[2J").status == 400
    ((_, _, path, *_),) = facts(site, collected)
    assert path == "/maven/solo/a%0AGET%20/forged%20200%1B%5B2J"
    assert collected.records[0].getMessage() == f"GET {path} 400"


def test_no_access_log_unless_it_is_wanted(quick_site: Site, collected: Collected) -> None:
    quick_site.get(POM)
    assert facts(quick_site, collected) == []


def test_what_waits_to_be_written_is_bounded() -> None:
    ledger = Ledger(None)
    for _ in range(MOST + 1000):
        ledger.add((0.0, "GET", "/a", 200, 1, "hit", "", "a", "", "", None))
    ledger.flush()
    assert ledger.totals()["requests"] == MOST


def test_closing_writes_what_was_counted(quick_site: Site) -> None:
    quick_site.fill(POM)
    quick_site.get(POM)
    quick_site.assembly.close()
    index = open_index(quick_site.data)
    try:
        assert index.downloads(quick_site.near_key, POM) == (2, quick_site.clock())
    finally:
        index.close()


class Counts:
    """Keeps downloads while it is well."""

    def __init__(self) -> None:
        self.well = True
        self.counted: dict[tuple[str, str], tuple[int, float]] = {}

    def count(self, downloads: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        if not self.well:
            raise StorageError("the database is busy")
        for key, (times, last_at) in downloads.items():
            self.counted[key] = (self.counted.get(key, (0, 0.0))[0] + times, last_at)

    def downloads(self, source: str, path: str) -> tuple[int, float | None]:
        return self.counted.get((source, path), (0, None))


def test_downloads_that_cannot_be_written_are_written_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counts = Counts()
    ledger = Ledger(counts)
    counts.well = False
    for when in (1.0, 2.0):
        ledger.add((when, "GET", "/a", 200, 1, "hit", "source", "a", "", "", None))
        ledger.flush()
    assert counts.counted == {}
    (told,) = caplog.messages
    assert told.startswith("downloads wait to be counted: ")
    counts.well = True
    ledger.add((3.0, "GET", "/b", 200, 1, "hit", "source", "b", "", "", None))
    ledger.close()
    assert counts.counted == {("source", "a"): (2, 2.0), ("source", "b"): (1, 3.0)}
    ledger.flush()
    assert counts.downloads("source", "a") == (2, 2.0)


DOWNLOADS_FOR_EVER = """
import sys, threading, time
from virtreg.backends.index import open_index
from virtreg.wsgi.ledger import Ledger
ledger = Ledger(open_index(sys.argv[1]))
ledger.start()
pause = threading.Event()
number = 0
while True:
    number += 1
    ledger.add((time.time(), "GET", "/a", 200, 1, "hit", "source", str(number), "", "", None))
    print(number, time.time(), flush=True)
    pause.wait(0.002)
"""


def test_a_kill_loses_less_than_a_minute_of_downloads(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DOWNLOADS_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        began = float(process.stdout.readline().split()[1])
        while float((last := process.stdout.readline().split())[1]) < began + 4 * INTERVAL:
            pass
        process.kill()
    index = open_index(tmp_path)
    try:
        keys = [("source", f"{number}") for number in range(1, int(last[0]) + 1)]
        written = index.downloads_of(keys)
    finally:
        index.close()
    # The first ones without a gap; those of the last moments are lost.
    assert list(written) == keys[: len(written)]
    latest = max(last_at for _, last_at in written.values())
    assert 0 <= float(last[1]) - latest < 60
