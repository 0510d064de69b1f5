"""Where several processes count together.

prometheus-client decides when it is loaded whether it counts in memory or in files, by a variable
of the environment; so it is loaded here only by what needs it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from attrs import frozen

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""In the environment of processes that count in files: the folder."""


@frozen
class FilesOfProcesses:
    """A folder in which several processes count together, each in files of its own."""

    folder: Path

    @classmethod
    def found(cls) -> FilesOfProcesses | None:
        """Where this process counts; None: in its memory."""
        place = os.environ.get(VARIABLE)
        return cls(Path(place)) if place else None

    def bury(self) -> None:
        """Forget what processes that have ended say of themselves at this moment; what they have
        counted stays."""
        from prometheus_client.multiprocess import mark_process_dead

        named = {path.stem.rpartition("_")[2] for path in self.folder.glob("gauge_live*_*.db")}
        for pid in map(int, filter(str.isdigit, named)):
            if not _runs(pid):
                mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]


def begin_folder(below: Path) -> Path:
    """An empty folder for the processes of this server, and of it alone; those of servers that have
    ended go. Raises OSError."""
    # The folder of the server may be new, and what makes a folder's parents makes them for all.
    below.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    below.mkdir(mode=0o700, exist_ok=True)
    own = below / str(os.getpid())
    for folder in below.iterdir():
        if folder.name.isdigit() and (folder == own or not _runs(int(folder.name))):
            shutil.rmtree(folder)
    own.mkdir(mode=0o700)
    return own


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # Another account's, and so alive.
    return True
