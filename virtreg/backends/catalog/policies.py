"""Cleanup policies and settings of groups, as rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from virtreg.backends.catalog import schema
from virtreg.backends.catalog.rows import policy_of, policy_row, settings_of, settings_row
from virtreg.errors import NotFound
from virtreg.managed import CleanupPolicy, GroupSettings


def policy(connection: Connection, group: str) -> CleanupPolicy | None:
    statement = select(schema.policies).where(schema.policies.c.group == group)
    row = connection.execute(statement).one_or_none()
    return None if row is None else policy_of(row)


def every_policy(connection: Connection) -> list[CleanupPolicy]:
    """By group."""
    return [policy_of(row) for row in connection.execute(select(schema.policies).order_by("group"))]


def save_policy(connection: Connection, policy: CleanupPolicy) -> None:
    _save(connection, schema.policies, policy.group, policy_row(policy))


def remove_policy(connection: Connection, group: str) -> None:
    """Raises NotFound."""
    statement = delete(schema.policies).where(schema.policies.c.group == group)
    if not connection.execute(statement).rowcount:
        raise NotFound(f"group {group!r} has no cleanup policy")


def settings(connection: Connection, group: str) -> GroupSettings:
    statement = select(schema.settings).where(schema.settings.c.group == group)
    row = connection.execute(statement).one_or_none()
    return GroupSettings(group) if row is None else settings_of(row)


def save_settings(connection: Connection, settings: GroupSettings) -> None:
    _save(connection, schema.settings, settings.group, settings_row(settings))


def _save(connection: Connection, table: Table, group: str, values: dict[str, Any]) -> None:
    """In a transaction that writes: nobody inserts between the two statements."""
    known = update(table).where(table.c.group == group).values(**values)
    if not connection.execute(known).rowcount:
        connection.execute(insert(table).values(group=group, **values))
