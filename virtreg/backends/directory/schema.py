"""The tables, as this version reads and writes them. Migrations make them; a test compares."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
)

from virtreg.backends.sql.types import Text

access_tables = MetaData()

users = Table(
    "users",
    access_tables,
    Column("name", Text, primary_key=True),
    Column("administrator", Boolean, nullable=False),
    Column("blocked", Boolean, nullable=False),
)

groups = Table(
    "groups",
    access_tables,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    # An id is never given again: it may stand in somebody's notes.
    sqlite_autoincrement=True,
)

members = Table(
    "members",
    access_tables,
    Column("user", Text, ForeignKey("users.name", ondelete="CASCADE"), primary_key=True),
    Column("group", Text, ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True),
    Column("role", Integer, nullable=False),
    Index("ix_members_group", "group"),
)

tokens = Table(
    "tokens",
    access_tables,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("group", Text, ForeignKey("groups.name", ondelete="CASCADE")),
    Column("role", Integer),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("last_used_at", Double),
    Index("ix_tokens_username", "username"),
)

revisions = Table(
    "revisions",
    access_tables,
    Column("number", Integer, nullable=False),
)
"""One row: how many changes there were."""
