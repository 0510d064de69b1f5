"""Several processes count together: whichever is asked tells of all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from virtreg.backends.observers.metrics.files import VARIABLE, begin_folder

COUNTS = """
import os, sys
from prometheus_client import CollectorRegistry
from virtreg.backends.observers.metrics import declared
from virtreg.backends.observers.metrics.exposition import Page
from virtreg.backends.observers.metrics.figures import Figures
from virtreg.backends.observers.metrics.files import FilesOfProcesses
registry = CollectorRegistry()
gauges = {declared.TRANSFERS: {(): 3}, declared.BREAKER: {("near",): int(sys.argv[1])}}
figures = Figures(registry, lambda: {"solo": "maven"}, lambda: gauges)
page = Page(registry, lambda: {declared.DISK_FREE: {(): 5}}, FilesOfProcesses.found())
figures.count("solo", "hit", "", 10, 0.5)
figures.count("solo", "ready", "", 10, None)
figures.sample()
print("counted", flush=True)
for line in sys.stdin:
    print(page.render()[1].decode() + "# end", flush=True)
"""


def _process(folder: Path, breaker: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", COUNTS, str(breaker)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, VARIABLE: str(folder)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def _asked(process: subprocess.Popen[str]) -> dict[str, float]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    page = ""
    while "# end" not in page:
        page += process.stdout.readline()
    return {
        "/".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if "_bucket" not in sample.name
    }


def test_each_tells_of_all_and_of_the_living_alone(tmp_path: Path) -> None:
    folder = begin_folder(tmp_path / "metrics")
    with _process(folder, 2) as one, _process(folder, 0) as two:
        told = _asked(one)
        assert told == _asked(two)
        assert told["virtreg_requests_total/maven/hit/solo"] == 2
        assert told["virtreg_sent_bytes_total/maven/solo"] == 40
        assert told["virtreg_answer_seconds_count/maven"] == 2
        assert told["virtreg_transfers"] == 6
        assert told["virtreg_upstream_breaker/near"] == 2
        assert told["virtreg_disk_free_bytes"] == 5
        one.kill()
        one.wait()
        told = _asked(two)
        assert told["virtreg_requests_total/maven/hit/solo"] == 2
        assert told["virtreg_transfers"] == 3
        assert told["virtreg_upstream_breaker/near"] == 0
        two.kill()


def test_a_folder_is_empty_at_the_start_and_those_of_the_dead_go(tmp_path: Path) -> None:
    below = tmp_path / "metrics"
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    for name in (str(os.getpid()), str(dead.pid), str(os.getppid()), "else"):
        (below / name).mkdir(parents=True)
        (below / name / "counter_1.db").write_bytes(b"")
    own = begin_folder(below)
    assert own == below / str(os.getpid())
    assert list(own.iterdir()) == []
    assert {path.name for path in below.iterdir()} == {own.name, str(os.getppid()), "else"}
    assert own.stat().st_mode & 0o077 == 0


def test_a_new_folder_of_the_server_is_for_its_owner_alone(tmp_path: Path) -> None:
    begin_folder(tmp_path / "server" / "metrics")
    assert (tmp_path / "server").stat().st_mode & 0o077 == 0
