"""The directory in memory keeps the contract."""

from __future__ import annotations

from pathlib import Path

from virtreg.testing.directories import DirectorySuite
from virtreg.testing.memory import MemoryDirectory


class TestMemoryDirectory(DirectorySuite):
    def make_directory(self, folder: Path) -> MemoryDirectory:
        return MemoryDirectory()
