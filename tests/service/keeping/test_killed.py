"""A process that is killed amid a cleanup."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.hub import entry_of
from tests.service.keeping.bed import CENTRAL, DAY, GROUP, HUB, Bed, MakeBed
from virtreg.core.layout import blob_key
from virtreg.service.cleaning import CleanupRun

RUN = """
import sys, time
from pathlib import Path
from tests.service.keeping.bed import Bed, GROUP, DAY
bed = Bed(Path(sys.argv[1]), on_disk=True)
bed.clock.advance(9000 * DAY)
bed.cleaner().run(GROUP, progress=lambda run: print(run.total.entries, flush=True))
print("finished", flush=True)
"""

COUNT = 3000


def fill(bed: Bed) -> None:
    """Old files, and some that are in use."""
    old = [
        entry_of((CENTRAL, HUB)[number % 2].key, f"{number:05}", b"%d" % (number // 3), at=1.0)
        for number in range(COUNT)
    ]
    for number, entry in enumerate(old):
        blob = bed.folder / blob_key(entry.sha256)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(b"%d" % (number // 3))
    bed.index.put(old)
    bed.index.count({(entry.source, entry.path): (1, 2.0) for entry in old[::2]})
    bed.policy()
    bed.clock.advance(9000 * DAY)
    for number in range(20):
        bed.keep(CENTRAL, f"new {number}", b"%d" % number, used=True)


@pytest.mark.parametrize("batches", [1, 4, 9])
def test_the_next_run_finishes_and_nothing_referenced_is_missing(
    make_bed: MakeBed, batches: int
) -> None:
    bed = make_bed(on_disk=True)
    fill(bed)
    command = [sys.executable, "-c", RUN, str(bed.folder)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        for _ in range(batches):
            assert process.stdout.readline().strip().isdecimal()
        process.kill()
        rest = process.stdout.read()
    assert "finished" not in rest
    left = len(bed.paths(HUB)) + len(bed.paths(CENTRAL)) - 20
    assert left > 0
    assert bed.saved().status == "running"
    assert [found for found in bed.findings() if found.kind in ("missing", "size")] == []
    cleaner = bed.cleaner()
    assert cleaner.run_due(bed.clock()) == []  # it may be alive
    bed.clock.advance(60)
    (after,) = cleaner.run_due(bed.clock())
    assert after.status == "scheduled"
    assert after.last_run.entries <= left
    assert len(bed.paths(CENTRAL)) == 20
    assert bed.paths(HUB) == []
    assert bed.findings(deep=True) == []
    assert len(bed.blobs()) == 20


def test_memory_stays_flat_however_many_go(bed: Bed) -> None:
    import tracemalloc

    peaks: list[int] = []
    for count in (1_500, 6_000):
        bed.index.put([entry_of(CENTRAL.key, f"{n:06}", b"%d" % n, at=1.0) for n in range(count)])
        bed.policy()

        def look(run: CleanupRun) -> None:
            if run.total.entries == 0:
                tracemalloc.reset_peak()

        tracemalloc.start()
        try:
            run = bed.cleaner().run(GROUP, progress=look)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert run.total.entries == count
    assert peaks[1] < 1.5 * peaks[0]
