"""The catalog in a SQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cryptography.fernet import MultiFernet

from virtreg.backends.catalog.limits import ManagementLimits
from virtreg.backends.catalog.sealing import Sealer
from virtreg.backends.sql.database import Database
from virtreg.managed import (
    Association,
    CleanupPolicy,
    GroupSettings,
    ManagedRegistry,
    ManagedUpstream,
)
from virtreg.model import Ownership, RegistrySpec, Rule


class SqlCatalog:
    """A Catalog whose registries and upstreams are managed while servers run."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        declared: Sequence[RegistrySpec],
        clock: Callable[[], float],
        limits: ManagementLimits,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._declared = tuple(declared)
        self._clock = clock
        self._limits = limits
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        raise NotImplementedError

    def revision(self) -> int:
        raise NotImplementedError

    def registries(self) -> tuple[RegistrySpec, ...]:
        raise NotImplementedError

    def announce(self) -> None:
        raise NotImplementedError

    def mirror(self) -> None:
        raise NotImplementedError

    def registries_of(self, group: str, format_name: str) -> list[ManagedRegistry]:
        raise NotImplementedError

    def registry(self, registry_id: int) -> ManagedRegistry | None:
        raise NotImplementedError

    def add_registry(
        self, group: str, format_name: str, fields: Mapping[str, Any]
    ) -> ManagedRegistry:
        raise NotImplementedError

    def change_registry(
        self, registry_id: int, fields: Mapping[str, Any], unmodified_since: float | None = None
    ) -> ManagedRegistry:
        raise NotImplementedError

    def remove_registry(self, registry_id: int, unmodified_since: float | None = None) -> None:
        raise NotImplementedError

    def purge_registry(self, registry_id: int) -> None:
        raise NotImplementedError

    def set_ownerships(self, registry_id: int, ownerships: Iterable[Ownership]) -> ManagedRegistry:
        raise NotImplementedError

    def upstreams_of_group(
        self, group: str, format_name: str, search: str = "", limit: int = 20, offset: int = 0
    ) -> tuple[list[ManagedUpstream], int]:
        raise NotImplementedError

    def upstream(self, upstream_id: int) -> ManagedUpstream | None:
        raise NotImplementedError

    def upstreams_of(self, registry_id: int) -> list[tuple[Association, ManagedUpstream]]:
        raise NotImplementedError

    def associations_of(self, upstream_id: int) -> list[Association]:
        raise NotImplementedError

    def add_upstream(
        self, registry_id: int, fields: Mapping[str, Any]
    ) -> tuple[ManagedUpstream, Association]:
        raise NotImplementedError

    def change_upstream(
        self, upstream_id: int, fields: Mapping[str, Any], unmodified_since: float | None = None
    ) -> ManagedUpstream:
        raise NotImplementedError

    def remove_upstream(self, upstream_id: int, unmodified_since: float | None = None) -> None:
        raise NotImplementedError

    def purge_upstream(self, upstream_id: int) -> None:
        raise NotImplementedError

    def association(self, association_id: int) -> Association | None:
        raise NotImplementedError

    def associate(self, registry_id: int, upstream_id: int) -> Association:
        raise NotImplementedError

    def move(self, association_id: int, position: int) -> Association:
        raise NotImplementedError

    def disassociate(self, association_id: int) -> None:
        raise NotImplementedError

    def add_rule(self, upstream_id: int, rule: Rule) -> Rule:
        raise NotImplementedError

    def rule(self, rule_id: int) -> tuple[ManagedUpstream, Rule] | None:
        raise NotImplementedError

    def remove_rule(self, rule_id: int) -> None:
        raise NotImplementedError

    def policy(self, group: str) -> CleanupPolicy | None:
        raise NotImplementedError

    def policies(self) -> list[CleanupPolicy]:
        raise NotImplementedError

    def save_policy(self, policy: CleanupPolicy) -> None:
        raise NotImplementedError

    def remove_policy(self, group: str) -> None:
        raise NotImplementedError

    def settings(self, group: str) -> GroupSettings:
        raise NotImplementedError

    def save_settings(self, settings: GroupSettings) -> None:
        raise NotImplementedError

    def sources_of(self, group: str) -> Mapping[str, str]:
        raise NotImplementedError

    def retired(self) -> list[str]:
        raise NotImplementedError

    def forget_retired(self, source: str) -> None:
        raise NotImplementedError

    def reseal(self, cipher: MultiFernet) -> int:
        raise NotImplementedError

    def close(self) -> None:
        self._database.close()
