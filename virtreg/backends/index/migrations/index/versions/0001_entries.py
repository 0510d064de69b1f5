"""Entries and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("path", Text, primary_key=True),
        sa.Column("source", Text, primary_key=True),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha1", Text, nullable=False),
        sa.Column("md5", Text, nullable=False),
        sa.Column("sha512", Text, nullable=False),
        sa.Column("content_type", Text),
        sa.Column("etag", Text),
        sa.Column("last_modified", Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("checked_at", sa.Double, nullable=False),
        sa.Column("parts", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entries_sha256", "entries", ["sha256"])
    op.create_index("ix_entries_source_path", "entries", ["source", "path"])
    op.create_table(
        "leases",
        sa.Column("name", Text, primary_key=True),
        sa.Column("holder", Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
