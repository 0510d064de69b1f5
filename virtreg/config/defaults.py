"""The configuration of a server that was told nothing."""

from __future__ import annotations

from pathlib import Path

from virtreg.config.values import Config, StorageConfig
from virtreg.formats.container.namespaces import DOCKER_HUB_URL
from virtreg.model import RegistrySpec, UpstreamSpec


def default_config(data: Path) -> Config:
    """A Maven registry, ``central``, over Maven Central, and one of images, ``hub``, over Docker
    Hub, cached in the folder ``data``.

    What Central publishes never changes, so its files are not checked again; its metadata and the
    tags of images are, once a day.
    """
    central = UpstreamSpec(
        name="central",
        url="https://repo1.maven.org/maven2",
        cache_validity_hours=0,
        metadata_cache_validity_hours=24,
    )
    maven = RegistrySpec(id=1, name="central", format="maven", upstreams=(central,))
    docker_hub = UpstreamSpec(name="docker-hub", url=DOCKER_HUB_URL)
    images = RegistrySpec(
        id=2, name="hub", format="container", upstreams=(docker_hub,), default=True
    )
    return Config(registries=(maven, images), storage=StorageConfig(path=data))
