"""Real buildah with a store of its own."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import field, frozen

from tests.e2e.skopeo import log_in, policy, sandbox
from tests.e2e.stored import Stored, run


@frozen
class Buildah:
    folder: Path
    env: dict[str, str] = field(init=False)

    @env.default
    def _sandboxed(self) -> dict[str, str]:
        return sandbox(self.folder)

    def start_from(self, reference: str) -> Stored:
        """Begin a build from an image for amd64; the digest is that of the platform's manifest."""
        store = self._program()
        flags: list[str | Path] = ["--quiet", "--pull-always", "--tls-verify=false"]
        flags += ["--arch", "amd64"]
        flags += ["--signature-policy", policy(self.folder)]
        container = run([*store, "from", *flags, reference], self.env).strip()
        held = json.loads(run([*store, "inspect", container], self.env))
        config = json.loads(held["Config"])
        return Stored(
            held["FromImageDigest"],
            f"sha256:{held['FromImageID']}",
            tuple(config["rootfs"]["diff_ids"]),
        )

    def login(self, host: str, login: tuple[str, str]) -> str:
        """As :func:`tests.e2e.skopeo.log_in`."""
        return log_in(self._program(), self.env, host, login)

    def _program(self) -> list[str | Path]:
        store: list[str | Path] = ["--root", self.folder / "s", "--runroot", self.folder / "r"]
        return ["buildah", *store, "--storage-driver", "vfs"]
