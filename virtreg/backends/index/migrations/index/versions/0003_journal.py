"""What has changed since the journal was written, and how far that is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("mark", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("source", Text, nullable=False),
        sa.Column("path", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    journal = op.create_table(
        "journal",
        sa.Column("name", Text, primary_key=True),
        sa.Column("note", Text, nullable=False),
    )
    op.bulk_insert(journal, [{"name": "head", "note": ""}, {"name": "next", "note": ""}])
