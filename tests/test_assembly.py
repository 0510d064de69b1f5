from __future__ import annotations

import re
from pathlib import Path

import pytest

from virtreg import StorageError, build, default_config


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    named = rf"cannot use the folder {re.escape(str(folder))}: Not a directory"
    with pytest.raises(StorageError, match=named):
        build(default_config(folder))
