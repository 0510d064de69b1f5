"""What differs between the formats in the API: where it is, and what upstreams have."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from virtreg.managed import ManagedRegistry, ManagedUpstream


@frozen
class Flavour:
    """The API of one format."""

    format: str
    part: str
    """Of the path, after ``virtual_registries``."""
    title: str
    """For the documentation, as in ``Maven upstream``."""
    metadata: bool
    """Whether upstreams have ``metadata_cache_validity_hours``."""

    @property
    def group(self) -> str:
        """Below it is what belongs to a group."""
        return f"/groups/{{group}}/-/virtual_registries/{self.part}"

    @property
    def root(self) -> str:
        """Below it is what has a number of its own."""
        return f"/virtual_registries/{self.part}"

    def own_registry(self, registry: ManagedRegistry | None) -> ManagedRegistry | None:
        """None for one of another format: by this path there is no such thing."""
        return registry if registry is not None and registry.spec.format == self.format else None

    def own_upstream(self, upstream: ManagedUpstream | None) -> ManagedUpstream | None:
        """As :meth:`own_registry`."""
        return upstream if upstream is not None and upstream.format == self.format else None


MAVEN: Final = Flavour("maven", "packages/maven", "Maven", metadata=True)
CONTAINER: Final = Flavour("container", "container", "Container", metadata=False)
FLAVOURS: Final = (MAVEN, CONTAINER)
