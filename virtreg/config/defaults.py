"""The configuration of a server that was told nothing."""

from __future__ import annotations

from pathlib import Path

from virtreg.config.values import Config, StorageConfig
from virtreg.model import RegistrySpec, UpstreamSpec


def default_config(data: Path) -> Config:
    """One Maven registry, ``central``, over Maven Central, cached in the folder ``data``.

    What Central publishes never changes, so its files are not checked again; its metadata is,
    once a day.
    """
    central = UpstreamSpec(
        name="central",
        url="https://repo1.maven.org/maven2",
        cache_validity_hours=0,
        metadata_cache_validity_hours=24,
    )
    registry = RegistrySpec(id=1, name="central", format="maven", upstreams=(central,))
    return Config(registries=(registry,), storage=StorageConfig(path=data))
