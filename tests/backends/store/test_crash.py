"""What a killed or forked process leaves behind in a local store."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from virtreg.backends.store import LocalStore
from virtreg.backends.store.spool import sweep
from virtreg.core.layout import sha256_of

START = """
import os, sys
from pathlib import Path
from virtreg.backends.store import LocalStore
from virtreg.errors import StorageError
from virtreg.testing.stores import key_of
store = LocalStore(Path(sys.argv[1]))
"""

DOWNLOAD_AND_WAIT = """
(store.spool() / "download").write_bytes(b"half")
print("ready", flush=True)
sys.stdin.read()
"""

PUT_FOR_EVER = """
number = 0
while True:
    content = b"%d" % number * 500_000
    key = key_of(content)
    print(key, flush=True)
    store.put(key, content)
    number += 1
"""

FORK = """
parent = store.spool()
(parent / "download").touch()
child = os.fork()
if child == 0:
    own = store.spool()
    os._exit(0 if own != parent and (parent / "download").exists() else 1)
_, status = os.waitpid(child, 0)
assert status == 0
assert store.spool() == parent
"""

FILE_TOO_LARGE = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
key = key_of(b"x")
try:
    store.put(key, b"x" * 2_000_000)
except StorageError as error:
    assert error.message == f"cannot put {key}: File too large", error.message
else:
    raise AssertionError("it fitted")
assert list(store.list()) == []
assert list(store.spool().iterdir()) == []
"""


@contextmanager
def running(script: str, root: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", START + script, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(script: str, root: Path) -> None:
    subprocess.run([sys.executable, "-c", START + script, str(root)], check=True)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def spooled(root: Path) -> list[str]:
    return [path.name for path in (root / "spool").glob("*/*")]


def test_the_spool_of_a_live_process_is_left_alone_and_swept_once_it_is_killed(
    tmp_path: Path,
) -> None:
    store = LocalStore(tmp_path)
    with running(DOWNLOAD_AND_WAIT, tmp_path) as process:
        assert line_of(process) == "ready"
        store.spool()
        assert sweep(tmp_path / "spool") == 0
        assert spooled(tmp_path) == ["download"]
    assert sweep(tmp_path / "spool") == 1
    assert spooled(tmp_path) == []
    assert len(list((tmp_path / "spool").iterdir())) == 2, "our own folder and its lock"


def test_a_new_process_sweeps_when_it_takes_its_spool(tmp_path: Path) -> None:
    with running(DOWNLOAD_AND_WAIT, tmp_path) as process:
        assert line_of(process) == "ready"
    store = LocalStore(tmp_path)
    store.spool()
    assert spooled(tmp_path) == []


def test_a_kill_amid_a_put_shows_whole_blobs_only(tmp_path: Path) -> None:
    with running(PUT_FOR_EVER, tmp_path) as process:
        announced = [line_of(process) for _ in range(8)]
        process.kill()
        assert process.stdout is not None
        announced += process.stdout.read().split()
    store = LocalStore(tmp_path)
    visible = {key for key, _, _ in store.list()}
    assert set(announced[:-1]) <= visible <= set(announced)
    for key in visible:
        with store.open(key) as body:
            assert hashlib.sha256(b"".join(body.read())).hexdigest() == sha256_of(key)
    sweep(tmp_path / "spool")
    assert spooled(tmp_path) == []


def test_a_forked_child_has_a_spool_of_its_own(tmp_path: Path) -> None:
    run(FORK, tmp_path)


def test_a_put_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    run(FILE_TOO_LARGE, tmp_path)
