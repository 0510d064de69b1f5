"""``python -m benchmarks.cleanup``: a cleanup of a large index while files are pulled.

Generates an index, then tells how long a page of a listing takes near the beginning and far from
it, how long pulls of a cached file take without and with a cleanup in the same process, how long
the index was locked, how many entries went in a second and how much memory was used.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from wsgiref.util import setup_testing_defaults

from attrs import define, field

from virtreg.assembly import Assembly, build
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.store import LocalStore
from virtreg.config import Config, StorageConfig
from virtreg.core.layout import blob_key
from virtreg.managed import CleanupPolicy
from virtreg.model import Entry, RegistrySpec, UpstreamSpec

_UPSTREAM = UpstreamSpec("central", "http://central.invalid", cache_validity_hours=0)
_SPEC = RegistrySpec(1, "main", "maven", (_UPSTREAM,))
_PULLED = "org/example/pulled/1.0/pulled-1.0.jar"
_CONTENT = b"jar" * 5000

_GENERATE = """
INSERT INTO entries
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :entries)
SELECT printf('org/example/group%03d/artifact%05d/1.%d/artifact%05d-1.%d.jar',
              i % 97, i / 50, i % 50, i / 50, i % 50),
       :source, printf('%08x%056x', (i * 2654435761) % 4294967296, i), 1000 + i % 5000,
       printf('%040x', i), '', '', 'application/java-archive', NULL, NULL,
       iif(i * 7919 % :entries < :going, 1e9, :now - 1e5) + i % 86400, 1e9, ''
FROM n ORDER BY 1
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--going", type=int, default=200_000, help="entries that go")
    parser.add_argument("--seconds", type=float, default=10, help="of pulls each time")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.entries, options.going, options.seconds)
    for name, value in found.items():
        print(f"{name:40} {value:12.3f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def measure(folder: Path, entries: int, going: int, seconds: float) -> dict[str, float]:
    """Times in milliseconds unless the name says otherwise."""
    generate(folder, entries, going)
    found: dict[str, float] = {}
    with closing(open_index(folder)) as index:
        found |= _listing(index)
    config = Config((_SPEC,), storage=StorageConfig(folder))
    with build(config) as assembly:
        found |= _cleaning(assembly, going, seconds)
    return found


def generate(folder: Path, entries: int, going: int) -> None:
    """An index of which some entries, spread all over it, are old, two in three of all were
    downloaded once, and one file is in use. The numbers are no multiples of 7919."""
    store = LocalStore(folder)
    digest = sha256(_CONTENT).hexdigest()
    store.put(blob_key(digest), _CONTENT)
    store.close()
    now = time.time()
    with closing(open_index(folder)) as index:
        pulled = Entry(
            _UPSTREAM.key, _PULLED, digest, len(_CONTENT), "", "", "", None, None, None, now, now
        )
        index.put([pulled])
        index.count({(_UPSTREAM.key, _PULLED): (1, now)})
    with closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        values = {"entries": entries, "going": going, "now": now, "source": _UPSTREAM.key}
        connection.execute(_GENERATE, values)
        connection.commit()
    with closing(sqlite3.connect(folder / "downloads.sqlite")) as connection:
        connection.execute("ATTACH ? AS held", (str(folder / "index.sqlite"),))
        connection.execute(
            "INSERT OR IGNORE INTO downloads SELECT path, source, 1, created_at + 60"
            " FROM held.entries WHERE created_at % 3 < 2"
        )
        connection.commit()


def _listing(index: SqlIndex) -> dict[str, float]:
    def page(number: int) -> Callable[[], object]:
        return lambda: index.recent(_UPSTREAM.key, limit=20, offset=20 * (number - 1))

    return {
        "page 1": _median(page(1)),
        "page 1,000": _median(page(1000)),
        "storage used": _median(index.usage, 3),
    }


def _cleaning(assembly: Assembly, going: int, seconds: float) -> dict[str, float]:
    now = time.time()
    policy = CleanupPolicy(_SPEC.group, now, now, enabled=True, next_run_at=now + 1e6)
    assembly.catalog.save_policy(policy)
    _pulls(assembly, 1)
    without = _pulls(assembly, seconds)
    before = _memory()
    began = time.monotonic()
    ended: list[tuple[int, float]] = []
    peaks: list[int] = []

    def clean() -> None:
        run = assembly.cleaner.run(_SPEC.group, progress=lambda _run: peaks.append(_memory()))
        ended.append((run.total.entries, time.monotonic() - began))

    cleaning = threading.Thread(target=clean)
    with _Writer(assembly.index) as writer:
        cleaning.start()
        during = _pulls(assembly, seconds, cleaning)
        cleaning.join()
    removed, took = ended[0]
    assert removed == going, f"{removed} of {going} entries went"
    early = peaks[len(peaks) // 10]
    return {
        "pull p50": statistics.median(without) * 1000,
        "pull p99": _p99(without) * 1000,
        "pull p50 during": statistics.median(during) * 1000,
        "pull p99 during": _p99(during) * 1000,
        "pull p99 ratio": _p99(during) / _p99(without),
        "write waited p99 during": _p99(writer.seconds) * 1000,
        "write waited at most during": max(writer.seconds) * 1000,
        "entries/s": removed / took,
        "memory grown until a tenth, MB": (early - before) / 1024,
        "memory grown after, MB": (_memory() - early) / 1024,
    }


@define
class _Writer:
    """Writes to the index again and again, and notes how long it had to wait."""

    index: SqlIndex
    seconds: list[float] = field(factory=list)
    _ended: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.005):
            began = time.perf_counter()
            self.index.touch("nobody", "nothing", 0)
            self.seconds.append(time.perf_counter() - began)


def _pulls(
    assembly: Assembly, seconds: float, until: threading.Thread | None = None
) -> list[float]:
    """Seconds that each of many pulls took, a hundred a second; for so long, or while a thread
    runs if that is longer."""
    took: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends or (until is not None and until.is_alive()):
        began = time.perf_counter()
        _pull(assembly)
        took.append(time.perf_counter() - began)
        time.sleep(0.01)
    return took


def _pull(assembly: Assembly) -> None:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = f"/maven/main/{_PULLED}"
    statuses: list[str] = []

    def start(status: str, _headers: object, _error: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return statuses.append  # type: ignore[return-value]

    body = assembly.app(environ, start)
    try:
        size = sum(map(len, body))
    finally:
        if hasattr(body, "close"):
            body.close()
    assert (statuses, size) == (["200 OK"], len(_CONTENT)), statuses


def _median(call: Callable[[], object], times: int = 25) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def _memory() -> int:
    """What this process holds of its own, in KiB: the databases' files are mapped, and what the
    system keeps of them is not ours (proc(5))."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1])


if __name__ == "__main__":
    main()
