"""Users, groups, members and tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("blocked", sa.Boolean, nullable=False),
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "members",
        sa.Column(
            "user", sa.String, sa.ForeignKey("users.name", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "group", sa.String, sa.ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("role", sa.Integer, nullable=False),
    )
    op.create_index("ix_members_group", "members", ["group"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("username", sa.String, nullable=False),
        sa.Column("scopes", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("group", sa.String, sa.ForeignKey("groups.name", ondelete="CASCADE")),
        sa.Column("role", sa.Integer),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
        sa.Column("last_used_at", sa.Double),
    )
    op.create_index("ix_tokens_username", "tokens", ["username"])
    revisions = op.create_table("revisions", sa.Column("number", sa.Integer, nullable=False))
    op.bulk_insert(revisions, [{"number": 0}])
