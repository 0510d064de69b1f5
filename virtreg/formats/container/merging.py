"""One list out of those of several upstreams, or out of the pages of one."""

from __future__ import annotations

from collections.abc import Sequence

from virtreg.errors import IntegrityError, InvalidRequest
from virtreg.formats.container import referrers, tags
from virtreg.formats.container.documents import MAX_LIST_BYTES, read
from virtreg.formats.container.routes import split
from virtreg.model import Answered, Route


def merge(route: Route, documents: Sequence[tuple[str, bytes]]) -> tuple[bytes, list[str]]:
    """One document from the ``(upstream, bytes)``, best position first, and the upstreams left
    out because their document is unusable.

    A usable document that all agree on comes back byte for byte, if it is as the specification
    wants it; upstreams also list tags in other orders or under a name of their own, and leave the
    media type of an index out. Raises IntegrityError, with a reason for each, when none can be
    read, and InvalidRequest for a route that is no list.
    """
    if not route.merged:
        raise InvalidRequest(f"{route.path} is one upstream's content and never merged")
    usable: list[bytes] = []
    broken: list[Answered] = []
    for upstream, document in documents:
        try:
            _check(route, document)
        except IntegrityError as error:
            broken.append(Answered(upstream, "corrupt", error.message))
        else:
            usable.append(document)
    if not usable:
        reasons = "; ".join(f"{answer.upstream}: {answer.detail}" for answer in broken)
        raise IntegrityError(f"no upstream has a usable {route.path} ({reasons})", answers=broken)
    left_out = [answer.upstream for answer in broken]
    if all(document == usable[0] for document in usable) and _well_formed(route, usable[0]):
        return usable[0], left_out
    return combine(route, usable), left_out


def combine(route: Route, documents: Sequence[bytes]) -> bytes:
    """All that the documents list. Raises IntegrityError when one cannot be read."""
    repository, kind, _ = split(route.path)
    if kind == "tags":
        return tags.combine(repository, map(tags.parse, documents))
    return referrers.combine(map(referrers.parse, documents))


def _check(route: Route, document: bytes) -> None:
    combine(route, [document])


def _well_formed(route: Route, document: bytes) -> bool:
    stated = read(document, MAX_LIST_BYTES)
    written = read(combine(route, [document]), MAX_LIST_BYTES)
    return all(stated.get(member) == value for member, value in written.items())
