"""What refers to a manifest: signatures, bills of materials (OCI distribution-spec 1.1.1, "Listing
Referrers")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from virtreg.errors import IntegrityError
from virtreg.formats.container.documents import MAX_LIST_BYTES, read, write
from virtreg.formats.container.media_types import OCI_INDEX
from virtreg.formats.container.names import parse_digest
from virtreg.formats.container.routes import by_tag, split
from virtreg.model import Route, View

_FILTERED = (("OCI-Filters-Applied", "artifactType"),)
_MAX_ENCODED = 64

Entry = dict[str, Any]
"""A descriptor as its index has it."""


def parse(document: bytes) -> list[Entry]:
    """The descriptors of an image index. Raises IntegrityError for any other document."""
    index = read(document, MAX_LIST_BYTES)
    listed = index.get("manifests", ...)
    if index.get("mediaType", OCI_INDEX) != OCI_INDEX or listed is ...:
        raise IntegrityError("the document is no image index")
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise IntegrityError("the document is no image index: manifests must be a list")
    for at, entry in enumerate(listed):
        if not (isinstance(entry, dict) and isinstance(entry.get("digest"), str)):
            raise IntegrityError(f"manifests[{at}] is no descriptor with a digest")
    return listed


def combine(lists: Iterable[Sequence[Entry]]) -> bytes:
    """One index with every referrer once; of two descriptors of one digest the first is kept."""
    kept: dict[str, Entry] = {}
    for entries in lists:
        for entry in entries:
            kept.setdefault(entry["digest"], entry)
    return _index(list(kept.values()))


def tag_schema(route: Route) -> Route:
    """The tag under which registries without this endpoint keep the same index ("Referrers Tag
    Schema"): algorithm and the first 64 characters of the digest."""
    repository, _, reference = split(route.path)
    algorithm, encoded = parse_digest(reference)
    return by_tag(repository, f"{algorithm}-{encoded[:_MAX_ENCODED]}")


def view(artifact_type: str, document: bytes) -> View:
    """The referrers of one ``artifactType``."""
    found = [entry for entry in parse(document) if entry.get("artifactType") == artifact_type]
    return View(_index(found), _FILTERED)


def _index(entries: list[Entry]) -> bytes:
    return write({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
