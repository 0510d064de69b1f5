"""The table, as this version reads and writes it. Migrations make it; a test compares."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table

signing_tables = MetaData()

signing_keys = Table(
    "signing_keys",
    signing_tables,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", String, nullable=False),
)
"""``sealed``: what :func:`virtreg.backends.auth.grants.key.new_key` makes."""
