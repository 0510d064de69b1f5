"""What groups let be kept, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from virtreg.backends.catalog import policies, retiring
from virtreg.backends.catalog.current import Current
from virtreg.managed import CleanupPolicy, GroupSettings


class GroupPolicies(Current):
    """The protocol Policies of :class:`virtreg.backends.catalog.sql.SqlCatalog`, and how policies
    and settings are saved."""

    def policy(self, group: str) -> CleanupPolicy | None:
        with self._database.reading() as connection:
            return policies.policy(connection, group)

    def policies(self) -> list[CleanupPolicy]:
        """By group."""
        with self._database.reading() as connection:
            return policies.every_policy(connection)

    def save_policy(self, policy: CleanupPolicy) -> None:
        """Insert or replace by group."""
        with self._database.writing() as connection:
            policies.save_policy(connection, policy)

    def change_policy(
        self, group: str, change: Callable[[CleanupPolicy], CleanupPolicy]
    ) -> CleanupPolicy | None:
        """As :class:`virtreg.protocols.Policies` has it."""
        with self._database.writing() as connection:
            before = policies.policy(connection, group)
            if before is None:
                return None
            after = change(before)
            policies.save_policy(connection, after)
        return after

    def remove_policy(self, group: str) -> None:
        with self._database.writing() as connection:
            policies.remove_policy(connection, group)

    def settings(self, group: str) -> GroupSettings:
        """Those of a group that has set nothing are the usual ones."""
        with self._database.reading() as connection:
            return policies.settings(connection, group)

    def save_settings(self, settings: GroupSettings) -> None:
        """Insert or replace by group. The revision grows: a quota is looked at anew."""
        with self._database.writing() as connection:
            policies.save_settings(connection, settings)
        self.announce()

    def sources_of(self, group: str) -> Mapping[str, str]:
        """Their formats, by ``UpstreamSpec.key`` or ``RegistrySpec.key``."""
        found = self._now().sources.items()
        return {source: format_name for source, (owner, format_name) in found if owner == group}

    def retired(self) -> list[str]:
        """Sources that changes of the catalog took out of use, those of long ago first. What a file
        does not declare any more is not among them."""
        with self._database.reading() as connection:
            return retiring.retired(connection)

    def forget_retired(self, source: str) -> None:
        """Its entries are gone. No error when it is not there."""
        with self._database.writing() as connection:
            retiring.forget(connection, source)
