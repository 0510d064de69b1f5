"""Who may pull from a server, made on the command line as a person would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrs import frozen


@frozen
class Accounts:
    """Of the server with this configuration file; it may be running."""

    config: Path

    def add_group(self, name: str) -> None:
        self._virtreg("group", "add", name)

    def add_member(self, group: str, user: str, role: str = "guest") -> None:
        """With the user, a new one."""
        self._virtreg("user", "add", user)
        self._virtreg("member", "set", group, user, role)

    def token(self, kind: str, *flags: str) -> str:
        """The secret of a new token, which may pull unless the flags tell other scopes."""
        scopes = () if "--scopes" in flags else ("--scopes", "read_virtual_registry")
        said = self._virtreg("token", "create", "--kind", kind, *scopes, *flags)
        return said.removesuffix("\n")

    def tokens(self) -> list[dict[str, Any]]:
        """Newest first."""
        listed: list[dict[str, Any]] = json.loads(self._virtreg("token", "list", "--json"))
        return listed

    def revoke_newest(self) -> None:
        self._virtreg("token", "revoke", self.tokens()[0]["id"])

    def _virtreg(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "virtreg", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout
