"""A body that is one regular file, found by its path."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from virtreg.backends.store.faults import disk_errors
from virtreg.backends.store.opened import OpenBody
from virtreg.errors import Missing, StorageError


class FileBody(OpenBody):
    """``key`` only names the file in messages.

    Raises Missing when there is no file at ``path``, StorageError when it cannot be opened.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._descriptor = -1
        self._path = path
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Missing(f"the store does not hold {key}") from error
        except OSError as error:
            raise StorageError(f"cannot open {key}: {error.strerror}") from error
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise StorageError(f"cannot open {key}: not a regular file")
        super().__init__(descriptor, status.st_size, key)

    def file(self) -> BinaryIO:
        """The same file with a position of its own, even when its name is gone by now."""
        self._enter()
        try:
            with disk_errors(f"open {self._name}"):
                try:
                    return self._path.open("rb")
                except FileNotFoundError:
                    # A duplicated descriptor would share its position; Linux can reopen it.
                    return Path(f"/proc/self/fd/{self._descriptor}").open("rb")
        finally:
            self._leave()
