"""What has changed since the journal was written, and how far that is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("mark", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    journal = op.create_table(
        "journal",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("note", sa.String, nullable=False),
    )
    op.bulk_insert(journal, [{"name": "head", "note": ""}, {"name": "next", "note": ""}])
