"""Real podman with a store of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen

from tests.e2e.skopeo import log_in, policy, sandbox
from tests.e2e.stored import Stored, inspected, run


@frozen
class Podman:
    folder: Path
    env: dict[str, str] = field(init=False)

    @env.default
    def _sandboxed(self) -> dict[str, str]:
        return sandbox(self.folder)

    def pull(self, reference: str, *, seconds: float = 90) -> Stored:
        """Pull for amd64 over plain HTTP, into an empty store."""
        with self._program() as store:
            flags: list[str | Path] = ["--quiet", "--tls-verify=false", "--arch", "amd64"]
            flags += ["--signature-policy", policy(self.folder)]
            run([*store, "pull", *flags, reference], self.env, seconds)
            image = inspected([*store, "image", "inspect", reference], self.env)
        return Stored(image["Digest"], f"sha256:{image['Id']}", tuple(image["RootFS"]["Layers"]))

    def login(self, host: str, login: tuple[str, str]) -> str:
        """As :func:`tests.e2e.skopeo.log_in`."""
        with self._program() as store:
            return log_in(store, self.env, host, login)

    @contextmanager
    def _program(self) -> Iterator[list[str | Path]]:
        # Podman takes no longer path than 50 characters for what a reboot may clear.
        with tempfile.TemporaryDirectory(prefix="podman-") as volatile:
            store: list[str | Path] = ["podman", "--root", self._empty(), "--runroot", volatile]
            store += ["--storage-driver", "vfs", "--events-backend", "none"]
            yield [*store, "--cgroup-manager", "cgroupfs"]

    def _empty(self) -> Path:
        store = self.folder / f"store-{len(list(self.folder.glob('store-*')))}"
        store.mkdir()
        return store
