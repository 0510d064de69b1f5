"""Which repositories are cached (Docker Registry HTTP API V2, "Listing Repositories")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from virtreg.errors import IntegrityError
from virtreg.formats.container.documents import MAX_LIST_BYTES, read, write
from virtreg.formats.container.paging import page
from virtreg.formats.container.routes import split
from virtreg.model import View

_AFTER_HEX = "g"


def shelf(path: str) -> tuple[str | None, str]:
    """The repository of a cached manifest or blob, and where to look on.

    Lists count for nothing: they are kept for repositories that do not exist, too. All digests of
    one kind are passed at once, since no other repository's path has a colon there; a tag is
    passed alone, since ``a/manifests/b/blobs/…`` belongs to the repository ``a/manifests/b``.
    """
    repository, kind, reference = split(path)
    if kind is None:
        return None, path
    algorithm, colon, _ = reference.partition(":")
    after = f"{repository}/{kind}/{algorithm}:{_AFTER_HEX}" if colon else path
    return (repository if kind in ("manifests", "blobs") else None), after


def document(names: Sequence[str]) -> bytes:
    return write({"repositories": list(names)})


def view(url: str, query: Mapping[str, str], whole: bytes) -> View:
    """The part that ``n`` and ``last`` ask for. Raises InvalidRequest naming ``n``."""
    names = read(whole, MAX_LIST_BYTES).get("repositories")
    if not isinstance(names, list):
        raise IntegrityError("the document is no list of repositories")
    part, headers = page(names, lambda name: (name,), url, query)
    return View(document(part), headers)
