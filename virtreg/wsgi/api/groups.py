"""What an administrator sets for a group."""

from __future__ import annotations

from typing import Annotated, Literal

from attrs import evolve, frozen
from msgspec import UNSET, Meta, Struct, UnsetType

from virtreg.core.identity import Group
from virtreg.managed import GroupSettings
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.policies import Bytes

_PATH = "/groups/{group}/-/virtual_registries/settings"

Enabled = Annotated[bool, Meta(description="Whether the group's virtual registries are there.")]
Quota = Annotated[
    Bytes | None, Meta(description="Bytes that the group's caches may hold; null: any number.")
]
WhenFull = Annotated[
    Literal["evict", "stream"],
    Meta(
        description="Beyond the quota, delete what was downloaded least recently, or serve files "
        "without keeping them. Nobody is refused a file."
    ),
]


class GroupSettingsChange(Struct, kw_only=True):
    enabled: Enabled | UnsetType = UNSET
    storage_quota_bytes: Quota | UnsetType = UNSET
    when_full: WhenFull | UnsetType = UNSET


class GroupSettingsWhole(Struct, kw_only=True):
    group_id: int
    enabled: Enabled
    storage_quota_bytes: Quota
    when_full: WhenFull


def endpoints(parts: Parts) -> list[Endpoint]:
    settings = _Settings(parts)
    return [
        Endpoint(
            "GET",
            _PATH,
            "Show what is set for a group",
            settings.show,
            gives=GroupSettingsWhole,
            documented=False,
        ),
        Endpoint(
            "PATCH",
            _PATH,
            "Change what is set for a group",
            settings.change,
            body=GroupSettingsChange,
            needs_any=True,
            gives=GroupSettingsWhole,
            action="switch",
            documented=False,
        ),
    ]


@frozen(eq=False)
class _Settings:
    parts: Parts

    def show(self, call: Call) -> Answer:
        group = self.parts.group(call)
        if group is not None and not group.enabled:
            # There is nothing to read, but for who can switch it on. Asked of no group first:
            # which tokens are not taken for switching must not tell that it is there.
            call.admit("read", "")
            group, _ = call.allow("switch", group)
        else:
            group, _ = call.allow("read", group)
        return Answer(_shown(group, self.parts.catalog.settings(group.name)))

    def change(self, call: Call) -> Answer:
        group, who = call.allow("switch", self.parts.group(call))
        sent = call.sent(GroupSettingsChange)
        before = self.parts.catalog.settings(group.name)
        settings = before
        if sent.storage_quota_bytes is not UNSET:
            settings = evolve(settings, storage_quota=sent.storage_quota_bytes)
        if sent.when_full is not UNSET:
            settings = evolve(settings, when_full=sent.when_full)
        if settings != before:
            self.parts.catalog.save_settings(settings)
            quota = "any" if settings.storage_quota is None else settings.storage_quota
            change = f"quota {quota} bytes, when full {settings.when_full}"
            self.parts.tell(call, who, "settings", group.name, change)
        if sent.enabled is not UNSET and sent.enabled != group.enabled:
            self.parts.directory.switch_group(group.name, sent.enabled)
            change = "switched on" if sent.enabled else "switched off"
            self.parts.tell(call, who, "settings", group.name, change)
            group = evolve(group, enabled=sent.enabled)
        return Answer(_shown(group, settings))


def _shown(group: Group, settings: GroupSettings) -> GroupSettingsWhole:
    return GroupSettingsWhole(
        group_id=group.id,
        enabled=group.enabled,
        storage_quota_bytes=settings.storage_quota,
        when_full=settings.when_full,
    )
