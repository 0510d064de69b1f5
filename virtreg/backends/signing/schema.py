"""The table, as this version reads and writes it. Migrations make it; a test compares."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table

from virtreg.backends.sql.types import Text

signing_tables = MetaData()

signing_keys = Table(
    "signing_keys",
    signing_tables,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", Text, nullable=False),
)
"""``sealed``: what :func:`virtreg.backends.auth.grants.key.new_key` makes."""
