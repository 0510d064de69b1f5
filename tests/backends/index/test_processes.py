"""One index used from several processes, forked, killed."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from virtreg.backends.index import open_index
from virtreg.testing.indexes import entry_of

PROCESSES = 4

PUT_FOR_EVER = """
import sys
from virtreg.backends.index import open_index
from virtreg.testing.indexes import entry_of
index = open_index(sys.argv[1])
batch = 0
while True:
    index.put([entry_of(f"{batch:06}/{number:02}", version=batch) for number in range(50)])
    print(batch, flush=True)
    batch += 1
"""

FORK = """
import os, sys
from virtreg.backends.index import open_index
from virtreg.testing.indexes import entry_of
index = open_index(sys.argv[1])
index.put([entry_of("parent")])
assert index.find("parent", ["central"])
child = os.fork()
if child == 0:
    assert index.find("parent", ["central"]) == [entry_of("parent")]
    index.put([entry_of("child")])
    index.count({("central", "child"): (1, 5.0)})
    index.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
assert index.find("child", ["central"]) == [entry_of("child")]
assert index.downloads("central", "child") == (1, 5.0)
index.close()
"""


def take_the_lease(folder: Path, start: Barrier, number: int) -> tuple[bool, int]:
    start.wait(60)
    with closing(open_index(folder)) as index:
        start.wait(60)
        for step in range(20):
            index.put([entry_of(f"{number}/{step}")])
            index.count({("central", "p"): (1, 5.0)})
        return index.lease("cleanup", f"process-{number}", 100.0, 60), number


def test_processes_that_start_at_once_share_one_new_index(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as shared, spawn.Pool(PROCESSES) as pool:
        start = shared.Barrier(PROCESSES)
        asked = [(tmp_path, start, number) for number in range(PROCESSES)]
        answers = pool.starmap(take_the_lease, asked, chunksize=1)
        pool.close()
        pool.join()
    winners = [number for taken, number in answers if taken]
    assert len(winners) == 1
    with closing(open_index(tmp_path)) as index:
        assert len(index.page("central", limit=1000)) == 20 * PROCESSES
        assert index.downloads("central", "p") == (20 * PROCESSES, 5.0)
        assert index.lease("cleanup", f"process-{winners[0]}", 130.0, 60)
        assert not index.lease("cleanup", "another", 130.0, 60)


def test_two_indexes_on_one_folder_see_each_other(tmp_path: Path) -> None:
    with closing(open_index(tmp_path)) as ours, closing(open_index(tmp_path)) as theirs:
        assert ours.lease("cleanup", "us", 100.0, 60)
        assert not theirs.lease("cleanup", "them", 130.0, 60)
        assert theirs.lease("cleanup", "them", 160.0, 60)
        assert not ours.lease("cleanup", "us", 160.0, 60)
        assert ours.find("p", ["central"]) == []
        theirs.put([entry_of("p")])
        assert ours.find("p", ["central"]) == [entry_of("p")]


def test_a_kill_amid_writing_leaves_whole_batches(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PUT_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(10):
            assert process.stdout.readline()
        process.kill()
        rest = process.stdout.read().split()
    with closing(open_index(tmp_path)) as index:
        found = [entry.path for entry in index.page("central", limit=1_000_000)]
        assert len(found) % 50 == 0
        assert len(found) >= 50 * (10 + max(len(rest) - 1, 0))
        index.put([entry_of("after")])
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_an_index_opened_before_a_fork_works_on_both_sides(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", FORK, str(tmp_path)], check=True)
