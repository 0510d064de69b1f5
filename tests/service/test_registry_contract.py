"""The pull-through registry keeps the contract of a virtual registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service.hub import MakeHub, fake
from virtreg.assembly import build
from virtreg.config import Config, StorageConfig
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.protocols import VirtualRegistry
from virtreg.testing.origin import Origin
from virtreg.testing.registries import VirtualRegistrySuite


class TestOverUpstreamsInMemory(VirtualRegistrySuite):
    @pytest.fixture(autouse=True)
    def _hub(self, make_hub: MakeHub) -> None:
        self.make_hub = make_hub

    @contextmanager
    def make_registry(self, files: dict[str, bytes]) -> Iterator[VirtualRegistry]:
        upstreams = fake("a"), fake("b")
        for number, (path, content) in enumerate(files.items()):
            upstreams[number % 2].put(path, content)
        yield self.make_hub(*upstreams).registry


class TestOverHttp(VirtualRegistrySuite):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @contextmanager
    def make_registry(self, files: dict[str, bytes]) -> Iterator[VirtualRegistry]:
        with Origin() as empty, Origin(files) as full:
            upstreams = tuple(
                UpstreamSpec(name, origin.url, allow_private=("127.0.0.0/8",))
                for name, origin in (("empty", empty), ("full", full))
            )
            spec = RegistrySpec(1, "main", "maven", upstreams)
            assembly = build(Config((spec,), storage=StorageConfig(self.folder)))
            try:
                yield assembly.registries["main"]
            finally:
                assembly.close()
