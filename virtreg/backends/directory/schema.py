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
    String,
    Table,
)

access_tables = MetaData()

users = Table(
    "users",
    access_tables,
    Column("name", String, primary_key=True),
    Column("administrator", Boolean, nullable=False),
    Column("blocked", Boolean, nullable=False),
)

groups = Table(
    "groups",
    access_tables,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    # An id is never given again: it may stand in somebody's notes.
    sqlite_autoincrement=True,
)

members = Table(
    "members",
    access_tables,
    Column("user", String, ForeignKey("users.name", ondelete="CASCADE"), primary_key=True),
    Column("group", String, ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True),
    Column("role", Integer, nullable=False),
    Index("ix_members_group", "group"),
)

tokens = Table(
    "tokens",
    access_tables,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("username", String, nullable=False),
    Column("scopes", String, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("group", String, ForeignKey("groups.name", ondelete="CASCADE")),
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
