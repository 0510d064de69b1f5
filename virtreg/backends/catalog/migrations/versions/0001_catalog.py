"""Registries, upstreams, their order, and what groups set."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

FIRST_ID = 1000
"""Registries that are stored come after it: what a file declares is numbered from 1."""


def upgrade() -> None:
    op.create_table(
        "registries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("group", sa.String, nullable=False),
        sa.Column("format", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("slug", sa.String, nullable=False, unique=True),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("order", sa.String, nullable=False),
        sa.Column("declared", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_index("ix_registries_group", "registries", ["group", "format"])
    op.create_table(
        "generations",
        sa.Column("slug", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_table(
        "upstreams",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("group", sa.String, nullable=False),
        sa.Column("format", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("slug", sa.String, nullable=False, unique=True),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("username", sa.String),
        sa.Column("password", sa.String),
        sa.Column("cache_validity_hours", sa.Double, nullable=False),
        sa.Column("metadata_cache_validity_hours", sa.Double, nullable=False),
        sa.Column("settings", sa.String, nullable=False),
        sa.Column("declared", sa.Boolean, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_upstreams_group", "upstreams", ["group", "format"])
    op.create_table(
        "associations",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("registries", "registry_id"),
        _of("upstreams", "upstream_id"),
        sa.Column("position", sa.Integer, nullable=False),
        sa.UniqueConstraint("registry_id", "upstream_id", name="uq_associations_pair"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_associations_upstream", "associations", ["upstream_id"])
    op.create_table(
        "rules",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("upstreams", "upstream_id"),
        sa.Column("rule_type", sa.String, nullable=False),
        sa.Column("target_coordinate", sa.String, nullable=False),
        sa.Column("pattern", sa.String, nullable=False),
        sa.Column("pattern_type", sa.String, nullable=False),
        sa.UniqueConstraint(
            "upstream_id",
            "rule_type",
            "target_coordinate",
            "pattern",
            "pattern_type",
            name="uq_rules",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ownerships",
        _of("registries", "registry_id", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("target_coordinate", sa.String, nullable=False),
        sa.Column("pattern", sa.String, nullable=False),
        sa.Column("pattern_type", sa.String, nullable=False),
        sa.Column("upstreams", sa.String, nullable=False),
    )
    op.create_table(
        "policies",
        sa.Column("group", sa.String, primary_key=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("keep_n_days_after_download", sa.Integer, nullable=False),
        sa.Column("cadence", sa.Integer, nullable=False),
        sa.Column("keep_bytes", sa.BigInteger),
        sa.Column("next_run_at", sa.Double),
        sa.Column("last_run_at", sa.Double),
        sa.Column("last_run_entries", sa.BigInteger, nullable=False),
        sa.Column("last_run_size", sa.BigInteger, nullable=False),
        sa.Column("last_run_by_format", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("failure_message", sa.String),
    )
    op.create_table(
        "settings",
        sa.Column("group", sa.String, primary_key=True),
        sa.Column("storage_quota", sa.BigInteger),
        sa.Column("when_full", sa.String, nullable=False),
    )
    op.create_table(
        "retired",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )
    numbers = op.create_table(
        "numbers",
        sa.Column("registry_id", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(numbers, [{"registry_id": FIRST_ID, "revision": 0}])


def _of(table: str, name: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        name,
        sa.Integer,
        sa.ForeignKey(f"{table}.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )
