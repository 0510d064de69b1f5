"""Entries and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha1", sa.String, nullable=False),
        sa.Column("md5", sa.String, nullable=False),
        sa.Column("sha512", sa.String, nullable=False),
        sa.Column("content_type", sa.String),
        sa.Column("etag", sa.String),
        sa.Column("last_modified", sa.String),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("checked_at", sa.Double, nullable=False),
        sa.Column("parts", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entries_sha256", "entries", ["sha256"])
    op.create_index("ix_entries_source_path", "entries", ["source", "path"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
