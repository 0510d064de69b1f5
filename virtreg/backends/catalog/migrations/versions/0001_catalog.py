"""Registries, upstreams, their order, and what groups set."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0001"
down_revision = None

FIRST_ID = 1000
"""Registries that are stored come after it: what a file declares is numbered from 1."""


def upgrade() -> None:
    op.create_table(
        "registries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("group", Text, nullable=False),
        sa.Column("format", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("slug", Text, nullable=False, unique=True),
        sa.Column("description", Text, nullable=False),
        sa.Column("order", Text, nullable=False),
        sa.Column("declared", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_index("ix_registries_group", "registries", ["group", "format"])
    op.create_table(
        "generations",
        sa.Column("slug", Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_table(
        "upstreams",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("group", Text, nullable=False),
        sa.Column("format", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("slug", Text, nullable=False, unique=True),
        sa.Column("url", Text, nullable=False),
        sa.Column("description", Text, nullable=False),
        sa.Column("username", Text),
        sa.Column("password", Text),
        sa.Column("cache_validity_hours", sa.Double, nullable=False),
        sa.Column("metadata_cache_validity_hours", sa.Double, nullable=False),
        sa.Column("settings", Text, nullable=False),
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
        sa.Column("rule_type", Text, nullable=False),
        sa.Column("target_coordinate", Text, nullable=False),
        sa.Column("pattern", Text, nullable=False),
        sa.Column("pattern_type", Text, nullable=False),
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
        sa.Column("target_coordinate", Text, nullable=False),
        sa.Column("pattern", Text, nullable=False),
        sa.Column("pattern_type", Text, nullable=False),
        sa.Column("upstreams", Text, nullable=False),
    )
    op.create_table(
        "policies",
        sa.Column("group", Text, primary_key=True),
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
        sa.Column("last_run_by_format", Text, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("failure_message", Text),
    )
    op.create_table(
        "settings",
        sa.Column("group", Text, primary_key=True),
        sa.Column("storage_quota", sa.BigInteger),
        sa.Column("when_full", Text, nullable=False),
    )
    op.create_table(
        "retired",
        sa.Column("source", Text, primary_key=True),
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
