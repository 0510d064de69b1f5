"""Download counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "downloads",
        sa.Column("path", Text, primary_key=True),
        sa.Column("source", Text, primary_key=True),
        sa.Column("times", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
