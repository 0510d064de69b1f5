"""The tables, as this version reads and writes them. Migrations make them; a test compares."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, Table

from virtreg.backends.sql.types import Text

index_tables = MetaData()

entries = Table(
    "entries",
    index_tables,
    Column("path", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha1", Text, nullable=False),
    Column("md5", Text, nullable=False),
    Column("sha512", Text, nullable=False),
    Column("content_type", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("created_at", Double, nullable=False),
    Column("checked_at", Double, nullable=False),
    Column("parts", Text, nullable=False),
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
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
)

loose = Table(
    "loose",
    index_tables,
    Column("sha256", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""Digests of removed entries, until somebody has looked whether their blobs can go."""

changes = Table(
    "changes",
    index_tables,
    # Never given twice: who forgets one must not mean a later one.
    Column("mark", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("source", Text, nullable=False),
    Column("path", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Entries put or removed, until that is in the journal."""

journal = Table(
    "journal",
    index_tables,
    Column("name", Text, primary_key=True),
    Column("note", Text, nullable=False),
)
"""``head`` and ``next``: which note of the journal was written, and is to be written, last."""

download_tables = MetaData()

downloads = Table(
    "downloads",
    download_tables,
    Column("path", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("times", BigInteger, nullable=False),
    Column("last_at", Double, nullable=False),
    Index("ix_downloads_source_last_at", "source", "last_at", "path"),
    sqlite_with_rowid=False,
)
