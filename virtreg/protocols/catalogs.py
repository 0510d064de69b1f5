"""Which registries there are, and what groups let them keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from virtreg.managed import CleanupPolicy, GroupSettings
from virtreg.model import RegistrySpec


class Policies(Protocol):
    """What groups want to be kept; part of a Catalog that is managed."""

    def policy(self, group: str) -> CleanupPolicy | None: ...

    def policies(self) -> list[CleanupPolicy]:
        """By group."""
        ...

    def change_policy(
        self, group: str, change: Callable[[CleanupPolicy], CleanupPolicy]
    ) -> CleanupPolicy | None:
        """Replace a policy by what ``change`` makes of it, with nobody else's change in between;
        what it is then. None where there is none."""
        ...

    def settings(self, group: str) -> GroupSettings:
        """Those of a group that has set nothing are the usual ones."""
        ...

    def registries(self) -> tuple[RegistrySpec, ...]:
        """All of them, by id."""
        ...

    def sources_of(self, group: str) -> Mapping[str, str]:
        """``source -> format`` of what the group's registries keep."""
        ...

    def retired(self) -> list[str]:
        """Sources that are not in use any more, whose entries are to go."""
        ...

    def forget_retired(self, source: str) -> None:
        """Its entries are gone. No error when it is not there."""
        ...


class Catalog(Protocol):
    """The registries there are."""

    def revision(self) -> int:
        """A number that grows with every change; cheap."""
        ...

    def registries(self) -> tuple[RegistrySpec, ...]:
        """All of them, by id."""
        ...
