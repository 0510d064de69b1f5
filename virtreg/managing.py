"""What a configuration says of groups, and of what may be made in them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from virtreg.backends.catalog import ManagementLimits
from virtreg.config import Config
from virtreg.errors import Conflict
from virtreg.model import RegistrySpec
from virtreg.protocols import Directory


def serves(directory: Directory, group: str) -> bool:
    """Whether a group's registries are switched on."""
    found = directory.group(group)
    return found is None or found.enabled


def make_groups(directory: Directory, specs: Sequence[RegistrySpec]) -> None:
    """A group is there once a registry is declared to be of it."""
    for name in dict.fromkeys(spec.group for spec in specs):
        if directory.group(name) is None:
            with suppress(Conflict):  # Another process was quicker.
                directory.add_group(name)


def limits_of(config: Config) -> ManagementLimits:
    """How much the management API makes."""
    most = config.management
    return ManagementLimits(
        {"maven": most.maven_registries, "container": most.container_registries},
        {"maven": most.maven_upstreams, "container": most.container_upstreams},
        most.rules,
    )
