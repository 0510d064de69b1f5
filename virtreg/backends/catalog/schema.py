"""The tables, as this version reads and writes them. Migrations make them; a test compares."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from virtreg.backends.sql.types import Text

catalog_tables = MetaData()

registries = Table(
    "registries",
    catalog_tables,
    # Given by `numbers`, or by the file that declares it.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("group", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("order", Text, nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index("ix_registries_group", "group", "format"),
)

generations = Table(
    "generations",
    catalog_tables,
    Column("slug", Text, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""How often a registry was purged: kept by its name, since a declared one may be gone from its
file for a while."""

upstreams = Table(
    "upstreams",
    catalog_tables,
    Column("id", Integer, primary_key=True),
    Column("group", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("username", Text),
    Column("password", Text),
    Column("cache_validity_hours", Double, nullable=False),
    Column("metadata_cache_validity_hours", Double, nullable=False),
    Column("settings", Text, nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    # Of one that is a registry: the id of a stored one, or the name of a declared one.
    Column("local_registry_id", Integer),
    Column("local_registry", Text),
    Index("ix_upstreams_group", "group", "format"),
    # An id is never given again: caches are kept by it.
    sqlite_autoincrement=True,
)
"""``password`` is sealed, ``settings`` JSON. A declared upstream has its secrets and settings in
the file alone, and its row outlives it there: rules and purges are kept for when it is back."""

associations = Table(
    "associations",
    catalog_tables,
    Column("id", Integer, primary_key=True),
    Column("registry_id", Integer, ForeignKey("registries.id", ondelete="CASCADE"), nullable=False),
    Column("upstream_id", Integer, ForeignKey("upstreams.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    UniqueConstraint("registry_id", "upstream_id", name="uq_associations_pair"),
    Index("ix_associations_upstream", "upstream_id"),
    sqlite_autoincrement=True,
)

rules = Table(
    "rules",
    catalog_tables,
    Column("id", Integer, primary_key=True),
    Column("upstream_id", Integer, ForeignKey("upstreams.id", ondelete="CASCADE"), nullable=False),
    Column("rule_type", Text, nullable=False),
    Column("target_coordinate", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("pattern_type", Text, nullable=False),
    UniqueConstraint(
        "upstream_id",
        "rule_type",
        "target_coordinate",
        "pattern",
        "pattern_type",
        name="uq_rules",
    ),
    sqlite_autoincrement=True,
)

ownerships = Table(
    "ownerships",
    catalog_tables,
    Column(
        "registry_id", Integer, ForeignKey("registries.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("position", Integer, primary_key=True),
    Column("target_coordinate", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("pattern_type", Text, nullable=False),
    Column("upstreams", Text, nullable=False),
)
"""``upstreams``: a JSON list of ids, so that they may be renamed."""

policies = Table(
    "policies",
    catalog_tables,
    Column("group", Text, primary_key=True),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("keep_n_days_after_download", Integer, nullable=False),
    Column("cadence", Integer, nullable=False),
    Column("keep_bytes", BigInteger),
    Column("next_run_at", Double),
    Column("last_run_at", Double),
    Column("last_run_entries", BigInteger, nullable=False),
    Column("last_run_size", BigInteger, nullable=False),
    Column("last_run_by_format", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("failure_message", Text),
)
"""``last_run_by_format``: a JSON list of format, entries, bytes."""

settings = Table(
    "settings",
    catalog_tables,
    Column("group", Text, primary_key=True),
    Column("storage_quota", BigInteger),
    Column("when_full", Text, nullable=False),
)

retired = Table(
    "retired",
    catalog_tables,
    Column("source", Text, primary_key=True),
    Column("at", Double, nullable=False),
)
"""Sources of the index that nothing reads any more."""

numbers = Table(
    "numbers",
    catalog_tables,
    Column("registry_id", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
"""One row: the last id that a registry was given, and how many changes there were."""
