"""Real podman with a store of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from attrs import field, frozen

from tests.e2e.skopeo import policy, sandbox
from tests.e2e.stored import Stored, inspected, run


@frozen
class Podman:
    folder: Path
    env: dict[str, str] = field(init=False)

    @env.default
    def _sandboxed(self) -> dict[str, str]:
        return sandbox(self.folder)

    def pull(self, reference: str) -> Stored:
        """Pull for amd64 over plain HTTP, into an empty store."""
        # Podman takes no longer path than 50 characters for what a reboot may clear.
        with tempfile.TemporaryDirectory(prefix="podman-") as volatile:
            store: list[str | Path] = ["podman", "--root", self._empty(), "--runroot", volatile]
            store += ["--storage-driver", "vfs", "--events-backend", "none"]
            store += ["--cgroup-manager", "cgroupfs"]
            flags: list[str | Path] = ["--quiet", "--tls-verify=false", "--arch", "amd64"]
            flags += ["--signature-policy", policy(self.folder)]
            run([*store, "pull", *flags, reference], self.env)
            image = inspected([*store, "image", "inspect", reference], self.env)
        return Stored(image["Digest"], f"sha256:{image['Id']}", tuple(image["RootFS"]["Layers"]))

    def _empty(self) -> Path:
        store = self.folder / f"store-{len(list(self.folder.glob('store-*')))}"
        store.mkdir()
        return store
