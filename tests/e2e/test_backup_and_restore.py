"""What a server held is there again after a backup, a loss and a restore, with its upstream gone:
by the commands of the guide, on a folder and on PostgreSQL with a bucket."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.backends.store.weed import ACCESS_KEY, SECRET_KEY
from tests.e2e.processes import until
from tests.e2e.server import Upstream
from tests.faults.bucket import NAME, Bucket, bucket
from tests.faults.node import Node
from tests.postgres import programs
from virtreg.model import Secret
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "backup-and-restore.md").read_text()
FILES = {
    f"com/acme/a{number % 5}/1.{number}/a{number % 5}-1.{number}.bin": b"%05d" % number * 4000
    for number in range(40)
}
LATER = {f"com/acme/later/1.{number}/later-1.{number}.bin": b"%05d" % number for number in range(9)}

Guided = Callable[[str, Node], None]


def steps(heading: str) -> Iterator[str]:
    """The commands below a heading of the guide, one by one."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for block in re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def run(line: str, node: Node, places: Mapping[str, str]) -> str:
    """A command of the guide, where this server is; what it said."""
    for named, real in {**places, "virtreg-data": "data"}.items():
        line = line.replace(named, real)
    command = line.split()
    command[:1] = {
        "virtreg": [sys.executable, "-m", "virtreg"],
        "pg_dump": [str(programs() / "pg_dump")],
        "pg_restore": [str(programs() / "pg_restore")],
    }.get(command[0], command[:1])
    done = subprocess.run(
        command,
        cwd=node.folder,
        env={**os.environ, **node.environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def get(node: Node, path: str) -> bytes | None:
    """None for any error."""
    try:
        with urllib.request.urlopen(f"{node.maven}/{path}") as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        error.close()
        return None


def holds(node: Node, files: Mapping[str, bytes]) -> None:
    assert [path for path, body in files.items() if get(node, path) != body] == []


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin({**FILES, **LATER}) as origin:
        yield origin


@pytest.fixture
def node(origin: Origin, tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "node", [Upstream("origin", origin.url)])
    node.start()
    yield node
    node.stop()


def copied(node: Node, backup: Path) -> dict[str, str]:
    return {"/backup/": f"{backup}/"}


def journalled(node: Node, count: int) -> None:
    """Wait until so many notes are beside the files."""
    until(lambda: len(list((node.data / "journal").glob("*"))) >= count, "note of the journal", 60)


def test_one_node_comes_back(node: Node, origin: Origin, tmp_path: Path) -> None:
    places = copied(node, tmp_path / "backup")
    (tmp_path / "backup").mkdir()
    holds(node, FILES)
    journalled(node, 1)
    *copying, moving, putting, rebuilding = steps("One node")
    run(copying[0], node, places)
    # What comes after the databases were copied is in the journal.
    holds(node, LATER)
    node.stop()
    run(copying[1], node, places)
    shutil.rmtree(node.data / "blobs")
    (node.data / "index.sqlite").write_bytes(b"overwritten")
    origin.close()
    run(moving, node, places)
    run(putting, node, places)
    told = run(rebuilding, node, places)
    assert "9 entries taken" in told, told
    node.start()
    holds(node, {**FILES, **LATER})
    (checking,) = steps("Whether a copy is good")
    run(checking, node, places)


def test_losing_the_index_alone_loses_nothing(node: Node, origin: Origin, tmp_path: Path) -> None:
    holds(node, FILES)
    journalled(node, 1)
    node.kill()
    for each in node.data.glob("index.sqlite*"):
        each.unlink()
    blobs = sorted(each.name for each in (node.data / "blobs").rglob("*") if each.is_file())
    origin.close()
    node.start()
    assert get(node, next(iter(FILES))) is None
    until(lambda: "virtreg fsck --rebuild" in node.log.read_text(), "warning", 30)
    (rebuilding,) = steps("When the index alone is lost")
    told = run(rebuilding, node, {})
    assert f"{len(FILES)} entries taken" in told, told
    holds(node, FILES)
    kept = sorted(each.name for each in (node.data / "blobs").rglob("*") if each.is_file())
    assert kept == blobs


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bucket]:
    (tmp_path / "bucket").mkdir()
    with bucket(tmp_path / "bucket") as place:
        yield place


@pytest.fixture
def shared(origin: Origin, place: Bucket, database_url: Secret, tmp_path: Path) -> Iterator[Node]:
    key = subprocess.run(
        [sys.executable, "-m", "virtreg", "secrets", "key"], capture_output=True, check=True
    )
    node = Node(
        tmp_path / "node",
        [Upstream("origin", origin.url)],
        storing={"database": "env:VIRTREG_DATABASE", "url": f"s3://{NAME}/virtreg"},
        environment={
            **place.environment(place.port),
            "VIRTREG_SECRET_KEYS": key.stdout.decode().strip(),
            "VIRTREG_DATABASE": database_url.reveal(),
        },
    )
    node.start()
    yield node
    node.stop()


def filesystem(place: Bucket) -> Any:
    import s3fs

    return s3fs.S3FileSystem(
        key=ACCESS_KEY,
        secret=SECRET_KEY,
        client_kwargs={"endpoint_url": f"http://127.0.0.1:{place.port}"},
        skip_instance_cache=True,
        use_listings_cache=False,
    )


def notes(place: Bucket) -> list[str]:
    try:
        found = filesystem(place).ls(f"{NAME}/virtreg/journal", detail=False)
    except FileNotFoundError:
        return []
    return [name for name in found if name.endswith(".gz")]


def drop_schema(url: Secret) -> None:
    with psycopg.connect(url.reveal()) as connection:
        connection.execute("DROP SCHEMA virtreg CASCADE")


def test_many_nodes_come_back(
    shared: Node, place: Bucket, origin: Origin, database_url: Secret, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    places = {
        "/backup/": f"{backup}/",
        "postgresql://virtreg@db.example.org/virtreg": database_url.reveal(),
    }
    holds(shared, FILES)
    until(lambda: bool(notes(place)), "note of the journal", 60)
    dumping, restoring, rebuilding = steps("Many nodes")
    run(dumping, shared, places)
    holds(shared, LATER)
    shared.stop()
    kept = {path: filesystem(place).cat_file(path) for path in filesystem(place).find(NAME)}
    drop_schema(database_url)
    filesystem(place).rm(f"{NAME}/virtreg", recursive=True)
    assert notes(place) == []
    shutil.rmtree(shared.data)
    origin.close()
    for path, content in kept.items():
        filesystem(place).pipe_file(path, content)
    assert notes(place)
    run(restoring, shared, places)
    told = run(rebuilding, shared, places)
    assert "9 entries taken" in told, told
    shared.start()
    holds(shared, {**FILES, **LATER})


def test_losing_postgresql_alone_loses_nothing(
    shared: Node, place: Bucket, origin: Origin, database_url: Secret
) -> None:
    holds(shared, FILES)
    shared.stop()
    assert notes(place)
    drop_schema(database_url)
    # What was copied to this node is not asked for either.
    shutil.rmtree(shared.data)
    origin.close()
    shared.start()
    assert get(shared, next(iter(FILES))) is None
    until(lambda: "virtreg fsck --rebuild" in shared.log.read_text(), "warning", 30)
    (rebuilding,) = steps("When the index alone is lost")
    told = run(rebuilding, shared, {})
    assert f"{len(FILES)} entries taken" in told, told
    holds(shared, FILES)
