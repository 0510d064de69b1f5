"""The tables, as this version reads and writes them. Migrations make them; a test compares."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table

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
    # Newest first, oldest first: a page is found without reading the rows that come before.
    Index("ix_entries_source_created_at", "source", "created_at", "path"),
    # What a source keeps is added up from this alone.
    Index("ix_entries_source_sha256", "source", "sha256", "size"),
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

loose = Table(
    "loose",
    index_tables,
    Column("sha256", String, primary_key=True),
    sqlite_with_rowid=False,
)
"""Digests of removed entries, until somebody has looked whether their blobs can go."""

changes = Table(
    "changes",
    index_tables,
    # Never given twice: who forgets one must not mean a later one.
    Column("mark", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("source", String, nullable=False),
    Column("path", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Entries put or removed, until that is in the journal."""

journal = Table(
    "journal",
    index_tables,
    Column("name", String, primary_key=True),
    Column("note", String, nullable=False),
)
"""``head`` and ``next``: which note of the journal was written, and is to be written, last."""

download_tables = MetaData()

downloads = Table(
    "downloads",
    download_tables,
    Column("path", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("times", BigInteger, nullable=False),
    Column("last_at", Double, nullable=False),
    Index("ix_downloads_source_last_at", "source", "last_at", "path"),
    sqlite_with_rowid=False,
)
