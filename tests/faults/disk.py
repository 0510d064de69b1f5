"""A small disk of its own for a node, which can be filled. Needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

_PIECE = 64 * 1024


@frozen
class Disk:
    """Mounted at ``folder``."""

    folder: Path

    def fill(self, left: int = 0) -> None:
        """Leave so many bytes."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            while (over := self.free() - left) > 0:
                try:
                    ballast.write(bytes(min(_PIECE, over)))
                except OSError:
                    return

    def relieve(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)

    def free(self) -> int:
        return shutil.disk_usage(self.folder).free


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Disk]:
    """Of ``size`` bytes, in memory."""
    assert os.getuid() == 0, "only root may mount a disk"
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "virtreg-faults", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
