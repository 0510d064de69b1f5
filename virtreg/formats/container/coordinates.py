"""What a path is about, the image and its tag, and lists of tags without those that rules deny."""

from __future__ import annotations

from collections.abc import Callable

from virtreg.errors import IntegrityError
from virtreg.formats.container import tags
from virtreg.formats.container.localizing import default_namespace
from virtreg.formats.container.routes import split
from virtreg.model import Coordinates, Route, UpstreamSpec

TARGETS = frozenset({"image", "tag"})


def coordinates(route: Route, upstream: UpstreamSpec | None) -> tuple[Coordinates, ...]:
    """Of a manifest by tag its image and tag; of all else that a repository has, blobs, lists and
    manifests by digest, the image alone. An image of the upstream's default namespace goes by its
    short name, too: ``library/nginx`` is what ``nginx`` means at Docker Hub."""
    repository, kind, reference = split(route.path)
    if kind is None:
        return ()
    tag = {"tag": reference} if route.moving else {}
    return tuple({"image": name, **tag} for name in _names(repository, upstream))


def sift(route: Route, document: bytes, allowed: Callable[[Coordinates], bool]) -> bytes | None:
    """A list of tags without those denied, None when none is left. What else is merged, referrers,
    stays as it is: it goes by digest. So does what cannot be read."""
    repository, kind, _ = split(route.path)
    if kind != "tags":
        return document
    try:
        listed = tags.parse(document)
    except IntegrityError:
        return document
    # By the tag alone: that the image may be had was asked before, by any of its names.
    kept = [tag for tag in listed if allowed({"tag": tag})]
    if len(kept) == len(listed):
        return document
    return tags.combine(repository, [kept]) if kept else None


def _names(repository: str, upstream: UpstreamSpec | None) -> tuple[str, ...]:
    namespace = None if upstream is None else default_namespace(upstream)
    if namespace is None:
        return (repository,)
    before, _, short = repository.rpartition("/")
    return (repository, short) if before == namespace else (repository,)
