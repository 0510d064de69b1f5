"""Who may pull from a server, made on the command line as a person would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from attrs import frozen

from tests.e2e import marked
from tests.e2e.clients import Login


@frozen
class Issued:
    """A new token."""

    id: str
    kind: str
    username: str
    secret: str

    @property
    def login(self) -> Login:
        """What clients that log in are told. The name with a job's token is GitLab's."""
        return ("gitlab-ci-token" if self.kind == "job" else self.username, self.secret)


@frozen
class Accounts:
    """Of the server with this configuration file; it may be running."""

    config: Path

    def add_group(self, name: str) -> None:
        self._virtreg("group", "add", name)

    def add_administrator(self, user: str) -> None:
        """A new user."""
        self._virtreg("user", "add", user, "--administrator")

    def add_member(self, group: str, user: str, role: str = "guest") -> None:
        """With the user, a new one."""
        self._virtreg("user", "add", user)
        self._virtreg("member", "set", group, user, role)

    def token(self, kind: str, *flags: str) -> Issued:
        """It may pull, unless the flags tell other scopes."""
        made = json.loads(self._virtreg("token", "create", "--kind", kind, *flags, "--json"))
        secret = marked.SECRETS.told(f"token {made['id']}", made["secret"])
        return Issued(made["id"], made["kind"], made["username"], secret)

    def revoke(self, token: Issued) -> None:
        self._virtreg("token", "revoke", token.id)

    def _virtreg(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "virtreg", *arguments, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout
