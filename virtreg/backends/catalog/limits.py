"""How much may be managed in one place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from virtreg.managed import MOST_REGISTRIES, MOST_RULES, MOST_UPSTREAMS

_MOST_OF_OTHERS = 20


@frozen
class ManagementLimits:
    """Counted when something is added; what is there already stays."""

    registries: Mapping[str, int] = field(factory=lambda: MappingProxyType(MOST_REGISTRIES))
    """In a group, by format."""
    upstreams: Mapping[str, int] = field(factory=lambda: MappingProxyType(MOST_UPSTREAMS))
    """In a registry, by format."""
    rules: int = MOST_RULES
    """Of an upstream."""

    def registries_of(self, format_name: str) -> int:
        return self.registries.get(format_name, _MOST_OF_OTHERS)

    def upstreams_of_group(self, format_name: str) -> int:
        """As many as fill its registries."""
        return self.registries_of(format_name) * self.upstreams_of(format_name)

    def upstreams_of(self, format_name: str) -> int:
        return self.upstreams.get(format_name, _MOST_OF_OTHERS)
