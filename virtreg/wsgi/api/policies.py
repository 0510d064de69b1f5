"""The cleanup policy of a group: what leaves its caches, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from attrs import evolve, frozen
from msgspec import UNSET, Meta, Struct, UnsetType

from virtreg.core import policies as rules
from virtreg.core.identity import Group
from virtreg.errors import Forbidden, Invalid, NotFound
from virtreg.managed import CleanupPolicy, Reclaimed
from virtreg.model import Principal
from virtreg.wsgi.api.endpoint import NOTHING, Answer, Call, Endpoint
from virtreg.wsgi.api.moments import moment, moment_or_none
from virtreg.wsgi.api.parameters import given
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.shown import Moment

PATH = "/groups/{group}/-/virtual_registries/cleanup/policy"
_NONE = "the group has no cleanup policy"

Days = Annotated[
    int,
    Meta(
        ge=1,
        le=365,
        description="Days after its last download for which a file is kept; from when it was "
        "cached, if it was never downloaded.",
    ),
]
Cadence = Annotated[Literal[1, 7, 14, 30, 90], Meta(description="Days between two runs.")]
Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
KeptBytes = Annotated[
    Bytes | None,
    Meta(
        description="With it, a run also deletes what was downloaded least recently until no more "
        "than so many bytes are kept."
    ),
]


class CleanupPolicySettings(Struct, kw_only=True):
    enabled: bool | UnsetType = UNSET
    keep_n_days_after_download: Days | UnsetType = UNSET
    cadence: Cadence | UnsetType = UNSET
    keep_bytes: KeptBytes | UnsetType = UNSET


class DeletedOfFormat(Struct, kw_only=True):
    deleted_entries_count: int
    deleted_size: int


class CleanupPolicyWhole(Struct, kw_only=True):
    group_id: int
    next_run_at: Moment | None
    last_run_at: Moment | None
    last_run_deleted_size: int
    last_run_deleted_entries_count: int
    keep_n_days_after_download: int
    status: Literal["scheduled", "running", "failed"]
    cadence: int
    enabled: bool
    failure_message: str | None
    last_run_detailed_metrics: dict[str, DeletedOfFormat]
    created_at: Moment
    updated_at: Moment
    keep_bytes: int | None


def endpoints(parts: Parts) -> list[Endpoint]:
    policies = _Policies(parts)
    return [
        Endpoint(
            "GET",
            PATH,
            "Show the cleanup policy of a group",
            policies.show,
            gives=CleanupPolicyWhole,
            action="clean_up",
        ),
        Endpoint(
            "POST",
            PATH,
            "Create the cleanup policy of a group",
            policies.create,
            body=CleanupPolicySettings,
            gives=CleanupPolicyWhole,
            status=201,
            action="clean_up",
        ),
        Endpoint(
            "PATCH",
            PATH,
            "Change the cleanup policy of a group",
            policies.change,
            body=CleanupPolicySettings,
            needs_any=True,
            gives=CleanupPolicyWhole,
            action="clean_up",
        ),
        Endpoint(
            "DELETE",
            PATH,
            "Delete the cleanup policy of a group",
            policies.remove,
            status=204,
            action="clean_up",
        ),
    ]


@frozen(eq=False)
class _Policies:
    parts: Parts

    def show(self, call: Call) -> Answer:
        group, _ = owned(self.parts, call)
        return Answer(shown(group, policy_of(self.parts, group)))

    def create(self, call: Call) -> Answer:
        group, who = owned(self.parts, call)
        if self.parts.catalog.policy(group.name) is not None:
            raise Invalid({"group": ["has already been taken"]})
        now = self.parts.clock()
        sent = given(call.sent(CleanupPolicySettings))
        policy = rules.made(CleanupPolicy(group.name, now, now, **sent), now)
        self.parts.catalog.save_policy(policy)
        self._tell(call, who, group, "added")
        return Answer(shown(group, policy), status=201)

    def change(self, call: Call) -> Answer:
        group, who = owned(self.parts, call)
        sent, now = given(call.sent(CleanupPolicySettings)), self.parts.clock()
        policy = self.parts.catalog.change_policy(
            group.name, lambda before: rules.changed(before, evolve(before, **sent), now)
        )
        if policy is None:
            raise NotFound(_NONE)
        self._tell(call, who, group, " ".join(("changed", *sorted(sent))))
        return Answer(shown(group, policy))

    def remove(self, call: Call) -> Answer:
        group, who = owned(self.parts, call)
        policy_of(self.parts, group)
        self.parts.catalog.remove_policy(group.name)
        self._tell(call, who, group, "removed")
        return NOTHING

    def _tell(self, call: Call, who: Principal, group: Group, change: str) -> None:
        self.parts.tell(call, who, "policy", group.name, change)


def owned(parts: Parts, call: Call) -> tuple[Group, Principal]:
    """The group of the path, whose owner asks. Raises what admitting does, Forbidden for a
    subgroup."""
    top, _, below = call.path["group"].partition("/")
    group, who = call.allow("clean_up", parts.group_named(top))
    if below:
        raise Forbidden("cleanup policies are for top level groups")
    return group, who


def policy_of(parts: Parts, group: Group) -> CleanupPolicy:
    """Raises NotFound."""
    policy = parts.catalog.policy(group.name)
    if policy is None:
        raise NotFound(_NONE)
    return policy


def shown(group: Group, policy: CleanupPolicy) -> CleanupPolicyWhole:
    return CleanupPolicyWhole(
        group_id=group.id,
        next_run_at=moment_or_none(policy.next_run_at),
        last_run_at=moment_or_none(policy.last_run_at),
        last_run_deleted_size=policy.last_run.size,
        last_run_deleted_entries_count=policy.last_run.entries,
        keep_n_days_after_download=policy.keep_n_days_after_download,
        status=policy.status,
        cadence=policy.cadence,
        enabled=policy.enabled,
        failure_message=policy.failure_message,
        last_run_detailed_metrics=by_format(dict(policy.last_run_by_format)),
        created_at=moment(policy.created_at),
        updated_at=moment(policy.updated_at),
        keep_bytes=policy.keep_bytes,
    )


def by_format(reclaimed: Mapping[str, Reclaimed]) -> dict[str, DeletedOfFormat]:
    return {
        name: DeletedOfFormat(deleted_entries_count=each.entries, deleted_size=each.size)
        for name, each in reclaimed.items()
    }
