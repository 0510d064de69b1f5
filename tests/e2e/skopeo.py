"""Real skopeo (containers/image): copies to a folder, byte for byte."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from tests.e2e.stored import digests_in, run

ACCEPT_ANYTHING = '{"default": [{"type": "insecureAcceptAnything"}]}'
"""A signature policy (containers-policy.json(5)), so that the machine's own does not count."""


def sandbox(folder: Path) -> dict[str, str]:
    """An environment in which programs of containers/image find nothing of the machine's own."""
    folder.mkdir(parents=True, exist_ok=True)
    registries = folder / "registries.conf"
    registries.write_text('unqualified-search-registries = []\nshort-name-mode = "disabled"\n')
    logins = folder / "auth.json"
    logins.write_text("{}")
    return {
        "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "TMPDIR": str(folder),
        "REGISTRY_AUTH_FILE": str(logins),
        "CONTAINERS_REGISTRIES_CONF": str(registries),
    }


def policy(folder: Path) -> Path:
    """A file with :data:`ACCEPT_ANYTHING` in a sandbox."""
    file = folder / "policy.json"
    file.write_text(ACCEPT_ANYTHING)
    return file


def log_in(
    program: Sequence[str | Path], env: Mapping[str, str], host: str, login: tuple[str, str]
) -> str:
    """What one of these programs says to a login that succeeds; it is kept in the sandbox. Raises
    PullFailed."""
    flags = ["--tls-verify=false", "--username", login[0], "--password-stdin"]
    return run([*program, "login", *flags, host], env, typed=login[1])


@frozen
class Skopeo:
    """Copies may run at the same time in several threads, each with a name of its own."""

    folder: Path
    env: dict[str, str] = field(init=False)

    @env.default
    def _sandboxed(self) -> dict[str, str]:
        return sandbox(self.folder)

    def copy(
        self,
        reference: str,
        *,
        everything: bool = False,
        login: tuple[str, str] | None = None,
        name: str = "",
        seconds: float = 90,
    ) -> set[str]:
        """Pull for amd64, or with ``everything`` all platforms; digests of what arrived."""
        out = self.folder / (name or f"copy-{len(list(self.folder.iterdir()))}")
        command: list[str | Path] = ["skopeo", "--policy", policy(self.folder)]
        command += ["--override-arch", "amd64", "--override-os", "linux"]
        command += ["copy", "--quiet", "--src-tls-verify=false"]
        if everything:
            command.append("--all")
        if login:
            command += ["--src-creds", ":".join(login)]
        run([*command, f"docker://{reference}", f"dir:{out}"], self.env, seconds)
        (out / "version").unlink()
        return digests_in(out)

    def login(self, host: str, login: tuple[str, str]) -> str:
        """As :func:`log_in`."""
        return log_in(["skopeo"], self.env, host, login)

    def digest(self, reference: str) -> str:
        """What ``skopeo inspect`` says of an image for amd64."""
        command = ["skopeo", "--override-arch", "amd64", "--override-os", "linux", "inspect"]
        printed = run([*command, "--tls-verify=false", f"docker://{reference}"], self.env)
        inspected: dict[str, str] = json.loads(printed)
        return inspected["Digest"]

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository, given as ``host/name``."""
        printed = run(
            ["skopeo", "list-tags", "--tls-verify=false", f"docker://{repository}"], self.env
        )
        listed: list[str] = json.loads(printed)["Tags"]
        return listed
