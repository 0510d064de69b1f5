from __future__ import annotations

from pathlib import Path

from virtreg.core.identity import User
from virtreg.protocols import Announces, Directory
from virtreg.testing.directories import DirectorySuite, personal
from virtreg.testing.memory import MemoryDirectory


class TestMemoryDirectory(DirectorySuite):
    def make_directory(self, folder: Path) -> Directory:
        return MemoryDirectory()


def test_changes_are_announced_when_they_are_made_and_uses_are_not() -> None:
    directory = MemoryDirectory()
    heard: list[str] = []
    assert isinstance(directory, Announces)
    directory.on_change(lambda: heard.append("change"))
    directory.save_user(User("anna"))
    directory.add_token(personal(1), "digest")
    assert len(heard) == 2
    directory.used_tokens({"t1": 5.0})
    assert len(heard) == 2
    directory.revoke_token("t1", 6.0)
    directory.revoke_token("t1", 7.0)
    assert len(heard) == 3
