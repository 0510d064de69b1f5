"""What is kept is for the account that keeps it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from virtreg.backends.directory import open_directory
from virtreg.backends.index import open_index
from virtreg.backends.store import LocalStore
from virtreg.backends.store.exposure import exposure
from virtreg.core.identity import User
from virtreg.testing.stores import key_of


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Of all there is below, and of the folder itself."""
    paths = [folder, *folder.rglob("*")]
    return {str(path): stat.S_IMODE(path.stat().st_mode) for path in paths}


@pytest.mark.usefixtures("umask")
def test_all_that_is_made_in_a_new_data_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with closing(open_index(data)), closing(open_directory(data)) as directory:
        directory.save_user(User("anna"))
        with closing(LocalStore(data)) as store:
            store.put(key_of(b"x"), b"x")
            found = modes(data)
    files = [mode for path, mode in found.items() if Path(path).is_file()]
    folders = [mode for path, mode in found.items() if Path(path).is_dir()]
    assert {"index.sqlite", "index.sqlite-wal", "downloads.sqlite", "access.sqlite"} <= {
        Path(path).name for path in found
    }
    assert set(files) == {0o600}
    assert set(folders) == {0o700}


@pytest.mark.usefixtures("umask")
def test_a_store_alone_makes_its_folders_private_too(tmp_path: Path) -> None:
    with closing(LocalStore(tmp_path / "deep" / "store")) as store:
        assert stat.S_IMODE(store.spool().stat().st_mode) == 0o700
        store.put(key_of(b"x"), b"x")
        found = modes(tmp_path / "deep")
    assert set(found.values()) == {0o600, 0o700}


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o770])
def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    with closing(open_index(data)), closing(open_directory(data)):
        pass
    with closing(LocalStore(data)) as store:
        store.put(key_of(b"x"), b"x")
    assert stat.S_IMODE(data.stat().st_mode) == mode
    assert stat.S_IMODE((data / "blobs").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o770, 0o777])
def test_a_folder_that_others_may_read_or_change_is_told_with_the_way_to_close_it(
    tmp_path: Path, mode: int
) -> None:
    tmp_path.chmod(mode)
    told = exposure(tmp_path)
    assert told is not None
    assert f"run `chmod 700 {tmp_path}`" in told
    assert f"(mode {mode:04o})" in told
    tmp_path.chmod(0o700)
    assert exposure(tmp_path) is None


def test_a_folder_that_its_group_may_read_or_that_is_not_there_is_nothing_to_tell(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o750)
    assert exposure(tmp_path) is None
    assert exposure(tmp_path / "nowhere") is None
