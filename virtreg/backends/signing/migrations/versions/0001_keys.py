"""The keys that tokens of image clients are signed with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sealed", Text, nullable=False),
    )
