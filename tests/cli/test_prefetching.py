from __future__ import annotations

import io
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from tests.prefetch.galleries import Gallery, digest
from virtreg.cli.commands import virtreg
from virtreg.cli.prefetching import Kept, finish, summary
from virtreg.errors import NotFound
from virtreg.events import Filled, FillFailed
from virtreg.prefetch import Prefetched, own_platform
from virtreg.testing.gate import Gate
from virtreg.testing.origin import Origin

LARGE = bytes(range(256)) * 8192


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    with Origin() as origin:
        yield Gallery(origin)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Whoever runs the tests in the background has interrupts ignored, by children as well."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def file(gallery: Gallery, tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(
        f"""
        [[upstream]]
        name = "quay"
        url = "{gallery.origin.url}"
        allow_private = ["127.0.0.0/8"]
        [[upstream]]
        name = "central"
        url = "{gallery.origin.url}/maven2"
        [[registry]]
        name = "images"
        format = "container"
        upstreams = ["quay"]
        [[registry]]
        name = "main"
        format = "maven"
        upstreams = ["central"]
        """
    )
    return path


def _run(file: Path, *arguments: str | Path) -> Result:
    given = ["prefetch", "--config", file, *arguments]
    return CliRunner().invoke(virtreg, [str(argument) for argument in given])


def test_it_tells_each_image_and_the_totals(gallery: Gallery, file: Path) -> None:
    gallery.image("team/app", [LARGE, b"small"], "v1")
    result = _run(file, "images", "team/app:v1")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "ok: team/app:v1",
        "1 image, 3 blobs, 2.1 MB pulled, 0 blobs held already",
    ]
    assert _run(file, "images", "team/app:v1").output.splitlines() == [
        "ok: team/app:v1",
        "1 image, 3 blobs, 0 bytes pulled, 3 blobs held already",
    ]


def test_what_cannot_be_had_is_told_and_is_status_one(gallery: Gallery, file: Path) -> None:
    gallery.image("good", [b"layer"], "latest")
    result = _run(file, "images", "nowhere:v1", "good")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert "ok: good" in lines
    (problem,) = [line for line in lines if line.startswith("problem: ")]
    assert problem.startswith("problem: nowhere:v1: nowhere/manifests/v1 is in none of ")
    assert "(quay: 404" in problem
    assert lines[-1].endswith(", 1 image failed")


def test_it_pulls_for_this_machine_unless_told_otherwise(gallery: Gallery, file: Path) -> None:
    other = "linux/s390x"
    assert own_platform() != other
    mine, its = gallery.image("app", [b"mine"]), gallery.image("app", [b"its"])
    gallery.index("app", {own_platform(): mine, other: its}, "latest")
    assert _run(file, "images", "app").exit_code == 0
    assert digest(b"its") not in gallery.pulled("blobs")
    assert _run(file, "images", "app", "--platform", other).exit_code == 0
    assert digest(b"its") in gallery.pulled("blobs")


def test_the_cache_is_where_it_is_told_to_be_and_for_its_user_alone(
    gallery: Gallery, file: Path, tmp_path: Path
) -> None:
    gallery.image("app", [LARGE], "latest")
    before = os.umask(0o022)
    try:
        assert _run(file, "images", "app", "--data", tmp_path / "cache").exit_code == 0
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    encoded = digest(LARGE).removeprefix("sha256:")
    (blob,) = [path for path in (tmp_path / "cache").rglob("*") if path.name.endswith(encoded)]
    assert stat.S_IMODE(blob.stat().st_mode) & 0o077 == 0
    assert not (tmp_path / "virtreg-data").exists()


@pytest.mark.parametrize("registry", ["main", "nowhere"])
def test_a_registry_of_no_images_is_a_usage_error(file: Path, registry: str) -> None:
    result = _run(file, registry, "app")
    assert result.exit_code == 2
    assert f"there is no registry of images '{registry}'; there are: images" in result.output


def test_what_is_no_platform_is_a_usage_error(file: Path) -> None:
    result = _run(file, "images", "app", "--platform", "arm64")
    assert result.exit_code == 2
    assert "Invalid value for '--platform': 'arm64' is no platform" in result.output


def test_a_folder_that_cannot_be_used_is_told(file: Path, tmp_path: Path) -> None:
    result = _run(file, "images", "app", "--data", tmp_path / "server.toml" / "below")
    assert result.exit_code == 1
    assert result.output.startswith("Error: cannot use the folder ")


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_the_last_is_written_is_told() -> None:
    told = io.StringIO()

    def close() -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        finish(close, Console(file=told, soft_wrap=True))
    assert told.getvalue().startswith("interrupted while writing: ")


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_it_without_a_trace(gallery: Gallery, file: Path) -> None:
    gate = Gate()
    gallery.image("app", [], "latest")
    layer = gallery.blob("big", LARGE, stall_after=1_000_000, stall=gate)
    body = json.dumps({"schemaVersion": 2, "config": layer, "layers": []}).encode()
    gallery.origin.put("v2/big/manifests/latest", body)
    command = [sys.executable, "-m", "virtreg", "prefetch", "--config", str(file)]
    with subprocess.Popen(
        [*command, "images", "app", "big"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ok: app\n"
        gate.await_arrival()
        process.send_signal(signal.SIGINT)
        lines = iter(process.stdout.readline, b"")
        assert any(line.startswith(b"interrupted: ") for line in lines)
        gate.release()
        said = process.stdout.read().decode()
    assert process.returncode == 1
    assert "Traceback" not in said
    assert said.strip() == "Aborted!"


def test_what_was_pulled_and_could_not_be_kept_is_a_problem() -> None:
    kept = Kept()
    kept(FillFailed("images", "app/blobs/x", "quay", "no space left"))
    kept(FillFailed("images", "app/blobs/y", "quay", "cut"))
    kept(Filled("images", "app/blobs/y", "quay", 5, 1.0))
    assert list(kept.problems()) == ["problem: app/blobs/x is not kept: no space left"]


def test_the_summary_counts() -> None:
    failed = {"app": NotFound("absent")}
    assert summary(Prefetched(1, failed, 21, 1, 153_200_000)) == (
        "1 image, 21 blobs, 153.2 MB pulled, 1 blob held already, 1 image failed"
    )
