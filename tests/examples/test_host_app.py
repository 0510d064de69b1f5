from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from virtreg.testing.origin import Origin

EXAMPLE = Path(__file__).parents[2] / "examples" / "host_app.py"
POM = "org/example/thing/1.0/thing-1.0.pom"
JAR = "org/example/thing/1.0/thing-1.0.jar"
FILES = {POM: b"<project/>", JAR: b"PK" + bytes(range(256)) * 2000}


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin(FILES) as origin:
        yield origin


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def fetch(folder: Path, path: str, *origins: Origin) -> subprocess.CompletedProcess[str]:
    upstreams = [option for origin in origins for option in ("--upstream", origin.url)]
    return run(folder, *upstreams, "--allow-private", "127.0.0.0/8", path)


@pytest.mark.parametrize("path", [POM, JAR])
def test_a_file_is_written_and_its_digests_printed(
    tmp_path: Path, origin: Origin, path: str
) -> None:
    for came in ("miss", "hit"):
        ended = fetch(tmp_path, path, origin)
        assert (ended.returncode, ended.stderr) == (0, "")
        body = FILES[path]
        name = Path(path).name
        assert (tmp_path / name).read_bytes() == body
        first, *digests = ended.stdout.splitlines()
        assert first == f"{came}: {len(body)} bytes in {name}"
        assert sorted(digests) == sorted(
            f"{algorithm} {hashlib.new(algorithm, body).hexdigest()}"
            for algorithm in ("sha256", "sha1", "md5", "sha512")
        )
    assert origin.count(path) == 1


def test_the_next_upstream_has_what_the_first_has_not(tmp_path: Path, origin: Origin) -> None:
    with Origin() as empty:
        assert fetch(tmp_path, POM, empty, origin).returncode == 0
        assert empty.count(POM) == 1


def test_absence_is_told_with_every_answer(tmp_path: Path, origin: Origin) -> None:
    ended = fetch(tmp_path, "org/example/none.pom", origin)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        "not_found: org/example/none.pom is in none of the upstreams of example",
        "  upstream-1: 404 Not Found",
    ]


def test_a_lying_upstream_leaves_no_file(tmp_path: Path, origin: Origin) -> None:
    origin.put(f"{JAR}.sha1", b"0" * 40)
    ended = fetch(tmp_path, JAR, origin)
    assert ended.returncode == 1
    assert "sha1" in ended.stderr
    assert not (tmp_path / Path(JAR).name).exists()


def test_a_private_upstream_must_be_allowed(tmp_path: Path, origin: Origin) -> None:
    ended = run(tmp_path, "--upstream", origin.url, POM)
    assert ended.returncode == 1
    assert ended.stderr.startswith("egress_refused: ")
    assert origin.requests == []
