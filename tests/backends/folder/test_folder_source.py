"""A folder as an upstream: regular files below it, and nothing else."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.backends.folder import FolderSource
from virtreg.backends.folder.opening import open_below
from virtreg.errors import ConfigError, NotFound, StorageError, UpstreamUnavailable
from virtreg.model import Algorithm, Route, UpstreamSpec

PATH = "org/example/a/1.0/a-1.0.jar"
CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    put(root / PATH, CONTENT)
    return root


def put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def source(root: Path) -> FolderSource:
    return FolderSource(UpstreamSpec("folder", folder=str(root)))


def read(folder: FolderSource, path: str, start: int = 0, stop: int | None = None) -> bytes:
    with folder.resolve(Route(path)).body as body:
        return b"".join(body.read(start, stop))


def test_a_file_is_found_with_its_facts(root: Path) -> None:
    os.utime(root / PATH, (1_700_000_000, 1_700_000_000))
    found = source(root).resolve(Route(PATH))
    with found.body as body:
        assert b"".join(body.read()) == CONTENT
        assert b"".join(body.read(5, 300_000)) == CONTENT[5:300_000]
    facts = found.representation
    assert (facts.size, facts.last_modified) == (len(CONTENT), "Tue, 14 Nov 2023 22:13:20 GMT")
    assert facts.digests == {
        algorithm: hashlib.new(algorithm.value, CONTENT).hexdigest() for algorithm in Algorithm
    }
    assert found.expires_at == 0


def test_facts_follow_a_file_that_is_replaced(root: Path) -> None:
    folder = source(root)
    read(folder, PATH)
    put(root / "new", b"new")
    (root / "new").rename(root / PATH)
    found = folder.resolve(Route(PATH))
    found.body.close()
    assert found.representation.digests[Algorithm.SHA1] == hashlib.sha1(b"new").hexdigest()


def test_facts_follow_a_file_that_is_overwritten_and_dated_back(root: Path) -> None:
    folder = source(root)
    read(folder, PATH)
    status = (root / PATH).stat()
    (root / PATH).write_bytes(bytes(len(CONTENT)))
    os.utime(root / PATH, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = folder.resolve(Route(PATH))
    found.body.close()
    digest = hashlib.sha256(bytes(len(CONTENT))).hexdigest()
    assert found.representation.digests[Algorithm.SHA256] == digest


def test_a_body_stays_what_it_was_when_its_file_is_replaced(root: Path) -> None:
    with source(root).resolve(Route(PATH)).body as body:
        put(root / "new", b"new")
        (root / "new").rename(root / PATH)
        assert b"".join(body.read()) == CONTENT


def test_a_body_whose_file_becomes_shorter_is_never_taken_for_whole(root: Path) -> None:
    with source(root).resolve(Route(PATH)).body as body:
        os.truncate(root / PATH, 10)
        with pytest.raises(StorageError, match="became shorter"):
            b"".join(body.read())


@pytest.mark.parametrize(
    "path",
    [
        "nowhere",
        "org",
        "org/example/a/1.0",
        f"{PATH}/more",
        "",
        "/etc/passwd",
        "../outside",
        "org/../../outside",
        "org/./example",
        "org//example",
        "a\0b",
        "x" * 300,
    ],
)
def test_what_is_no_file_below_is_absent(root: Path, path: str) -> None:
    (root.parent / "outside").write_bytes(b"secret")
    with pytest.raises(NotFound):
        source(root).resolve(Route(path))


def test_links_are_not_followed(root: Path) -> None:
    outside = root.parent / "outside"
    put(outside / "secret", b"secret")
    (root / "link").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside, target_is_directory=True)
    (root / "inside").symlink_to(root / PATH)
    for path in ("link", "folder/secret", "inside"):
        with pytest.raises(NotFound):
            source(root).resolve(Route(path))


def test_the_folder_itself_may_be_a_link(root: Path) -> None:
    (root.parent / "link").symlink_to(root, target_is_directory=True)
    assert read(source(root.parent / "link"), PATH) == CONTENT


def test_pipes_and_sockets_are_no_files_and_keep_nobody_waiting(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(root, os.O_RDONLY)
        try:
            listening.bind(f"/proc/self/fd/{folder}/socket")
        finally:
            os.close(folder)
        for path in ("pipe", "socket"):
            with pytest.raises(NotFound):
                source(root).resolve(Route(path))


def test_a_folder_that_is_not_there_is_broken_and_not_empty(tmp_path: Path) -> None:
    folder = source(tmp_path / "unmounted")
    with pytest.raises(UpstreamUnavailable) as caught:
        folder.resolve(Route(PATH))
    assert caught.value.upstream == "folder"
    assert str(tmp_path) not in caught.value.message
    with pytest.raises(UpstreamUnavailable):
        folder.check()
    (tmp_path / "unmounted").mkdir()
    folder.check()


def test_a_spec_without_a_folder_is_refused() -> None:
    with pytest.raises(ConfigError):
        FolderSource(UpstreamSpec("x", "https://x.example"))


def test_no_descriptor_is_left_open(root: Path) -> None:
    folder = source(root)
    (root / "link").symlink_to(root / PATH)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in (PATH, "link", "org", "nowhere/at/all", f"{PATH}/x"):
        try:
            folder.resolve(Route(path)).body.close()
        except NotFound:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@given(st.lists(st.sampled_from(["a", "b", "..", ".", "", "up", "out"]), min_size=1, max_size=6))
def test_no_path_leads_out(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    top = tmp_path_factory.getbasetemp() / "no_path_leads_out"
    if not top.exists():
        put(top / "b", b"outside")
        put(top / "root" / "a" / "b", b"inside")
        (top / "root" / "a" / "up").symlink_to("..", target_is_directory=True)
        (top / "root" / "out").symlink_to(top, target_is_directory=True)
    path = "/".join(parts)
    try:
        descriptor, _ = open_below(str(top / "root"), path)
    except NotFound:
        assert path != "a/b"
        return
    os.close(descriptor)
    assert path == "a/b"
