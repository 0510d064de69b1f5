"""The tables, as this version reads and writes them. Migrations make them; a test compares."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, MetaData, String, Table

index_tables = MetaData()

entries = Table(
    "entries",
    index_tables,
    Column("path", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha1", String, nullable=False),
    Column("md5", String, nullable=False),
    Column("sha512", String, nullable=False),
    Column("content_type", String),
    Column("etag", String),
    Column("last_modified", String),
    Column("created_at", Double, nullable=False),
    Column("checked_at", Double, nullable=False),
    Column("parts", String, nullable=False),
    Index("ix_entries_sha256", "sha256"),
    Index("ix_entries_source_path", "source", "path"),
    # The hot path finds a row in the key's own tree, without a second look-up.
    sqlite_with_rowid=False,
)

leases = Table(
    "leases",
    index_tables,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("expires_at", Double, nullable=False),
)

download_tables = MetaData()

downloads = Table(
    "downloads",
    download_tables,
    Column("path", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("times", BigInteger, nullable=False),
    Column("last_at", Double, nullable=False),
    sqlite_with_rowid=False,
)
