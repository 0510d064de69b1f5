"""``virtreg fsck``, on a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.managing.places import BODIES, JAR, POM
from tests.config.writing import REGISTRY
from virtreg import build, load
from virtreg.cli.commands import virtreg
from virtreg.core.layout import blob_key
from virtreg.testing.origin import Origin


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Of a server that has cached two files."""
    with Origin() as origin:
        for path, body in BODIES.items():
            origin.put(path, body)
        file = tmp_path / "server.toml"
        upstream = f'[[upstream]]\nname = "central"\nurl = "{origin.url}"\n'
        file.write_text(f'{upstream}allow_private = ["127.0.0.0/8"]\n{REGISTRY}')
        with build(load(file, {})) as assembly:
            registry = assembly.registries["main"]
            for path, content in BODIES.items():
                with registry.resolve(registry.format.route(path)).body as served:
                    assert b"".join(served.read()) == content
    return file


def _fsck(file: Path, *options: str) -> Result:
    return CliRunner().invoke(virtreg, ["fsck", str(file), *options])


def _blobs(file: Path) -> list[Path]:
    return [each for each in (file.parent / "virtreg-data" / "blobs").rglob("*") if each.is_file()]


def test_a_folder_that_is_whole_is_left_as_it_is(file: Path) -> None:
    for options in ((), ("--deep",), ("--repair",)):
        result = _fsck(file, *options)
        assert (result.exit_code, result.stdout) == (0, "")
    assert len(_blobs(file)) == 2


def test_what_is_missing_is_told_and_forgotten_when_it_is_repaired(file: Path) -> None:
    jar = next(each for each in _blobs(file) if each.read_bytes() == BODIES[JAR])
    jar.unlink()
    found = _fsck(file)
    assert (found.exit_code, found.stderr) == (1, "1 problem found\n")
    assert found.stdout.startswith(f"problem: upstream 'central': {JAR}: ")
    assert "is missing" in found.stdout
    repaired = _fsck(file, "--repair")
    assert (repaired.exit_code, repaired.stderr) == (0, "1 problem repaired\n")
    assert _fsck(file).exit_code == 0


def test_damaged_bytes_are_found_by_reading_them(file: Path) -> None:
    pom = next(each for each in _blobs(file) if each.read_bytes() == BODIES[POM])
    pom.chmod(0o600)
    pom.write_bytes(bytes(reversed(BODIES[POM])))
    assert _fsck(file).exit_code == 0
    deep = _fsck(file, "--deep")
    assert (deep.exit_code, "damaged" in deep.stdout) == (1, True)
    assert _fsck(file, "--deep", "--repair").exit_code == 0
    assert _fsck(file, "--deep").stdout == ""
    assert len(_blobs(file)) == 1


def test_what_nothing_refers_to_goes_once_it_is_old(file: Path) -> None:
    stray = file.parent / "virtreg-data" / blob_key(64 * "0")
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"stray")
    assert _fsck(file).exit_code == 0
    os.utime(stray, (1, 1))
    found = _fsck(file)
    assert found.exit_code == 1
    assert "nothing refers to it (5 bytes)" in found.stdout
    assert _fsck(file, "--repair").exit_code == 0
    assert not stray.exists()


def _lose_index(file: Path) -> None:
    for each in (file.parent / "virtreg-data").glob("index.sqlite*"):
        each.unlink()


def test_an_index_that_was_lost_is_made_again(file: Path) -> None:
    untouched = _fsck(file, "--rebuild")
    assert untouched.exit_code == 0
    assert "nothing was done" in untouched.stderr
    _lose_index(file)
    for blob in _blobs(file):
        os.utime(blob, (1, 1))
    lost = _fsck(file)
    assert lost.exit_code == 1
    assert "virtreg fsck --rebuild" in lost.stdout
    assert "nothing refers to it" not in lost.stdout
    refused = _fsck(file, "--repair")
    assert refused.exit_code == 1
    assert len(_blobs(file)) == 2
    rebuilt = _fsck(file, "--rebuild")
    assert rebuilt.exit_code == 0, rebuilt.stderr
    assert rebuilt.stderr == (
        "2 entries taken from the journal, 0 removed as it tells, 0 left out whose files are not"
        " there\n"
    )
    assert (_fsck(file).exit_code, _fsck(file, "--deep").stdout) == (0, "")
    with build(load(file, {})) as assembly:
        registry = assembly.registries["main"]
        for path, content in BODIES.items():
            # The upstream is gone by now.
            with registry.resolve(registry.format.route(path)).body as served:
                assert b"".join(served.read()) == content


def test_a_part_of_the_journal_that_is_damaged_is_told(file: Path) -> None:
    (note,) = (file.parent / "virtreg-data" / "journal").iterdir()
    note.write_bytes(b"damaged")
    _lose_index(file)
    rebuilt = _fsck(file, "--rebuild")
    assert rebuilt.exit_code == 0
    assert rebuilt.stdout == f"damaged: journal/{note.name} cannot be read; what it told is lost\n"
    assert "0 entries taken" in rebuilt.stderr


def test_making_it_again_goes_alone(file: Path) -> None:
    for option in ("--repair", "--deep"):
        result = _fsck(file, "--rebuild", option)
        assert result.exit_code == 2
        assert "--rebuild goes alone" in result.stderr
