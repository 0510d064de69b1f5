"""Upstreams that are registries of the same server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from virtreg.backends.sql.types import Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("upstreams", sa.Column("local_registry_id", sa.Integer))
    op.add_column("upstreams", sa.Column("local_registry", Text))
