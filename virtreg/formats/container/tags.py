"""Lists of tags (OCI distribution-spec 1.1.1, "Listing Tags")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from virtreg.errors import IntegrityError
from virtreg.formats.container.documents import MAX_LIST_BYTES, read, write
from virtreg.formats.container.names import is_tag
from virtreg.formats.container.paging import page
from virtreg.model import View

MAX_TAGS = 500_000
"""In one list: every part of it that is asked for costs reading and ordering all of it."""


def rank(tag: str) -> tuple[str, ...]:
    """The specification's order: as a dictionary has words, upper and lower case alike. Where
    only the case differs, by code points, so that the order is total."""
    return (tag.lower(), tag)


def parse(document: bytes) -> list[str]:
    """The tags in the document's order; what fits no tag, and so cannot be asked for, is left
    out. Raises IntegrityError for another document, and for more than MAX_TAGS. Some registries
    say ``null`` for none."""
    listed = read(document, MAX_LIST_BYTES).get("tags", ...)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(tag, str) for tag in listed):
        raise IntegrityError("the document is no list of tags: tags must be a list of texts")
    if len(listed) > MAX_TAGS:
        raise _too_many()
    return [tag for tag in listed if is_tag(tag)]


def combine(repository: str, lists: Iterable[Sequence[str]]) -> bytes:
    """One document with every tag of the lists once, in order. Raises IntegrityError for more than
    MAX_TAGS."""
    found: set[str] = set()
    for listed in lists:
        found.update(listed)
        if len(found) > MAX_TAGS:
            raise _too_many()
    return _document(repository, _ordered(found))


def view(repository: str, url: str, query: Mapping[str, str], document: bytes) -> View:
    """The part that ``n`` and ``last`` ask for. Raises InvalidRequest naming ``n``."""
    part, headers = page(_ordered(parse(document)), rank, url, query)
    return View(_document(repository, part), headers)


def _ordered(tags: Iterable[str]) -> list[str]:
    return sorted(set(tags), key=rank)


def _document(repository: str, tags: list[str]) -> bytes:
    return write({"name": repository, "tags": tags})


def _too_many() -> IntegrityError:
    return IntegrityError(f"the list has more than {MAX_TAGS} tags")
