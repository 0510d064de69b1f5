"""Entries that tests put into an index."""

from __future__ import annotations

import hashlib

from virtreg.model import Entry


def entry_of(path: str, source: str = "central", *, version: int = 0) -> Entry:
    """An entry whose every field tells ``version``."""
    content = f"{version}".encode()
    return Entry(
        source=source,
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size=version,
        sha1=hashlib.sha1(content).hexdigest(),
        md5=hashlib.md5(content).hexdigest(),
        sha512=hashlib.sha512(content).hexdigest(),
        content_type=f"type/{version}",
        etag=f'"{version}"',
        last_modified=f"date {version}",
        created_at=version + 0.25,
        checked_at=version + 0.5,
        parts=f"{version}",
    )
