"""What finds the newest and the oldest, adds up bytes, and remembers blobs that may go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_entries_source_created_at", "entries", ["source", "created_at", "path"])
    op.create_index("ix_entries_source_sha256", "entries", ["source", "sha256", "size"])
    op.create_table(
        "loose",
        sa.Column("sha256", Text, primary_key=True),
        sqlite_with_rowid=False,
    )
