"""What is managed while a server runs: registries, upstreams and their order, the policies and
settings of groups. Frozen values; times are seconds since the epoch, sizes bytes."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from virtreg.model import RegistrySpec, UpstreamSpec

MOST_REGISTRIES = {"maven": 20, "container": 5}
"""Registries a group may have, by format, unless set otherwise."""

MOST_UPSTREAMS = {"maven": 20, "container": 5}
"""Upstreams a registry may have, by format, unless set otherwise."""

MOST_RULES = 20
"""Rules an upstream may have."""


@frozen
class ManagedRegistry:
    """A registry as it is kept."""

    spec: RegistrySpec
    """Its upstreams in order. Its name is one of a kind."""
    name: str
    """As it was given: other groups may have the same."""
    declared: bool
    """It comes from a configuration file and changes there alone."""
    created_at: float
    updated_at: float


@frozen
class ManagedUpstream:
    """An upstream as it is kept, however many registries list it."""

    id: int
    spec: UpstreamSpec
    """As it is asked. Its name is one of a kind; ``spec.id`` is empty where it is declared."""
    name: str
    """As it was given: several may have the same."""
    group: str
    format: str
    description: str
    declared: bool
    created_at: float
    updated_at: float


@frozen
class Association:
    """The place of one upstream in one registry."""

    id: int
    registry_id: int
    upstream_id: int
    position: int
    """From 1, without gaps."""


CADENCES = (1, 7, 14, 30, 90)
"""Days between two runs of a cleanup policy."""


@frozen
class Reclaimed:
    """What a cleanup removed."""

    entries: int = 0
    size: int = 0


@frozen
class CleanupPolicy:
    """What is removed from the caches of one group, and when."""

    group: str
    created_at: float
    updated_at: float
    enabled: bool = False
    keep_n_days_after_download: int = 30
    """From 1 to 365. An entry that was never downloaded counts from when it was made."""
    cadence: int = 7
    """Days between two runs; one of ``CADENCES``."""
    keep_bytes: int | None = None
    """With it, a run also removes what was downloaded least recently until no more than this is
    kept."""
    next_run_at: float | None = None
    last_run_at: float | None = None
    last_run: Reclaimed = field(factory=Reclaimed)
    last_run_by_format: tuple[tuple[str, Reclaimed], ...] = ()
    status: Literal["scheduled", "running", "failed"] = "scheduled"
    failure_message: str | None = None
    """At most 255 characters."""


@frozen
class GroupSettings:
    """What an administrator sets for a group."""

    group: str
    storage_quota: int | None = None
    """Bytes the caches of the group may hold; None: any number."""
    when_full: Literal["evict", "stream"] = "evict"
    """``evict`` what was downloaded least recently, or ``stream`` through without keeping."""
