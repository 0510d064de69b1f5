"""Users, groups, members and tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("name", Text, primary_key=True),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("blocked", sa.Boolean, nullable=False),
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", Text, nullable=False, unique=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "members",
        sa.Column("user", Text, sa.ForeignKey("users.name", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "group", Text, sa.ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("role", sa.Integer, nullable=False),
    )
    op.create_index("ix_members_group", "members", ["group"])
    op.create_table(
        "tokens",
        sa.Column("id", Text, primary_key=True),
        sa.Column("digest", Text, nullable=False, unique=True),
        sa.Column("kind", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("username", Text, nullable=False),
        sa.Column("scopes", Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("group", Text, sa.ForeignKey("groups.name", ondelete="CASCADE")),
        sa.Column("role", sa.Integer),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
        sa.Column("last_used_at", sa.Double),
    )
    op.create_index("ix_tokens_username", "tokens", ["username"])
    revisions = op.create_table("revisions", sa.Column("number", sa.Integer, nullable=False))
    op.bulk_insert(revisions, [{"number": 0}])
