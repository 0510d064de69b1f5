"""What finds the downloads that are longest ago."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_downloads_source_last_at", "downloads", ["source", "last_at", "path"])
