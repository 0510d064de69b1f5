"""Changes of upstreams."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, true, update

from virtreg.backends.catalog import associations, local
from virtreg.backends.catalog.changing import Change
from virtreg.backends.catalog.checks import LOCAL, SETTINGS, UPSTREAM, check
from virtreg.backends.catalog.guesses import equal
from virtreg.backends.catalog.logins import (
    StoredLogin,
    login_after,
    login_of_new,
    refuse_twin,
)
from virtreg.backends.catalog.names import upstream_slug
from virtreg.backends.catalog.registries import grow
from virtreg.backends.catalog.rows import settings_text
from virtreg.backends.catalog.schema import upstreams
from virtreg.errors import Invalid
from virtreg.managed import ManagedUpstream
from virtreg.model import Secret, UpstreamSpec

_PLAIN = ("name", "url", "cache_validity_hours", "metadata_cache_validity_hours")
_DATED = "maven"
"""The format whose releases have dates of their own."""


def add(change: Change, registry_id: int, fields: Mapping[str, Any]) -> tuple[int, int]:
    """The ids of the upstream and of its place, the last one. Raises Invalid, TooManyGuesses, and
    what ``Change.registry`` does."""
    registry = change.registry(registry_id)
    check({"name": "", "url": "", **fields}, UPSTREAM)
    _check_dated(registry.format, fields)
    _need_room(change, registry)
    login = login_of_new(fields)
    _refuse_twin(change, registry.group, registry.format, 0, fields["url"], login, None)
    number = _insert(change, registry, fields, url=fields["url"], username=login.username)
    _set(change, number, **_sealed(change, number, login))
    return number, associations.append(change, registry_id, number)


def add_local(change: Change, registry_id: int, fields: Mapping[str, Any]) -> tuple[int, int]:
    """As ``add``, for another registry."""
    registry = change.registry(registry_id)
    check({"name": "", "local_registry_id": None, **fields}, LOCAL)
    _check_dated(registry.format, fields)
    _need_room(change, registry)
    target = local.need_target(change, registry_id, fields["local_registry_id"])
    number = _insert(change, registry, fields, url="", **local.place_of(target))
    return number, associations.append(change, registry_id, number)


def _need_room(change: Change, registry: Row[Any]) -> None:
    """Raises Invalid for a registry that is full, and for a group with more upstreams than its
    registries could ever list: those that were taken out of registries are still read with all
    others at every change."""
    associations.need_room(change, registry.id, "registry_upstreams.position")
    most = change.limits.upstreams_of_group(registry.format)
    of_group = [
        each
        for each in change.before.upstreams.values()
        if (each.group, each.format) == (registry.group, registry.format) and not each.declared
    ]
    if len(of_group) >= most:
        raise Invalid({"group": [f"{most} upstreams is the maximum allowed per group."]})


def _insert(change: Change, registry: Row[Any], fields: Mapping[str, Any], **more: Any) -> int:
    defaults = UpstreamSpec(name="")
    number: int = change.connection.execute(
        insert(upstreams)
        .values(
            group=registry.group,
            format=registry.format,
            name=fields["name"],
            # Its id is part of the name it may get.
            slug=f"new {secrets.token_hex(16)}",
            description=fields.get("description") or "",
            cache_validity_hours=fields.get("cache_validity_hours", defaults.cache_validity_hours),
            metadata_cache_validity_hours=fields.get(
                "metadata_cache_validity_hours", defaults.metadata_cache_validity_hours
            ),
            settings=settings_text(fields),
            declared=False,
            generation=0,
            created_at=change.now,
            updated_at=change.now,
            **more,
        )
        .returning(upstreams.c.id)
    ).scalar_one()
    _set(change, number, slug=_slug(change, fields["name"], number))
    return number


def alter(
    change: Change, number: int, fields: Mapping[str, Any], unmodified_since: float | None
) -> None:
    """Raises Invalid, TooManyGuesses, and what ``Change.upstream`` does."""
    row = change.upstream(number, unmodified_since)
    if row.local_registry_id is not None or row.local_registry is not None:
        # Which registry it is cannot change: who links one must be let read it.
        check(fields, {name: LOCAL[name] for name in LOCAL if name != "local_registry_id"})
        _check_dated(row.format, fields)
        _set(change, number, updated_at=change.now, **_plain(change, row, fields))
        return
    check(fields, UPSTREAM)
    _check_dated(row.format, fields)
    before = change.before.upstreams[number].spec
    login = login_after(before, row.password is not None, fields)
    url = fields.get("url", row.url)
    _refuse_twin(change, row.group, row.format, number, url, login, before.password)
    values = _plain(change, row, fields)
    values |= {"username": login.username, **_sealed(change, number, login)}
    _set(change, number, updated_at=change.now, **values)


def _plain(change: Change, row: Row[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of all fields but a login."""
    values = {name: fields[name] for name in _PLAIN if name in fields}
    if "description" in fields:
        values["description"] = fields["description"] or ""
    if values.get("name", row.name) != row.name:
        values["slug"] = _slug(change, values["name"], row.id)
    if any(name in fields for name in SETTINGS):
        values["settings"] = settings_text({**json.loads(row.settings), **fields})
    return values


def remove(change: Change, number: int, unmodified_since: float | None) -> None:
    """Raises what ``Change.upstream`` does, and Conflict for a sole owner."""
    change.upstream(number, unmodified_since)
    for each in change.before.users.get(number, ()):
        associations.need_no_owner(change, each)
        associations.remove(change.connection, each)
    change.connection.execute(delete(upstreams).where(upstreams.c.id == number))


def purge(change: Change, number: int) -> None:
    """Raises NotFound."""
    change.need_upstream(number)
    grow(change.connection, number)


def _set(change: Change, number: int, **values: Any) -> None:
    change.connection.execute(update(upstreams).where(upstreams.c.id == number).values(**values))


def _sealed(change: Change, number: int, login: StoredLogin) -> dict[str, Any]:
    if login.kept:
        return {}
    sealed = None if login.password is None else change.sealer.seal(number, login.password)
    return {"password": sealed}


def _refuse_twin(
    change: Change,
    group: str,
    format_name: str,
    number: int,
    url: str,
    login: StoredLogin,
    kept: Secret | None,
) -> None:
    def other(each: ManagedUpstream) -> bool:
        return each.id != number and (each.group, each.format) == (group, format_name)

    def has_password(each: ManagedUpstream) -> bool:
        if login.kept:
            return equal(each.spec.password, kept)
        return change.guesses.same(each.id, each.spec.password, login.password)

    others = filter(other, change.before.upstreams.values())
    refuse_twin(others, url, login.username, has_password)


def _slug(change: Change, name: str, number: int) -> str:
    def taken(slug: str) -> bool:
        other = (upstreams.c.slug == slug, upstreams.c.id != number)
        return change.connection.scalar(select(true()).where(*other).limit(1)) is not None

    return upstream_slug(name, number, taken)


def _check_dated(format_name: str, fields: Mapping[str, Any]) -> None:
    if format_name != _DATED and fields.get("minimum_release_age_hours"):
        raise Invalid({"minimum_release_age_hours": ["must be 0, since nothing here has a date"]})
