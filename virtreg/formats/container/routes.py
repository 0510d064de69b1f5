"""From the path below ``/v2/`` to a :class:`Route` (OCI distribution-spec 1.1.1, "Endpoints")."""

from __future__ import annotations

from typing import Literal

from virtreg.errors import NotFound
from virtreg.formats.container.names import check_name, check_tag, parse_digest, print_digest
from virtreg.model import Algorithm, Freshness, Route

Kind = Literal["manifests", "blobs", "tags", "referrers"]

CATALOG = "_catalog"
"""Of the Docker Registry HTTP API V2; the OCI specification has no such list."""

_KINDS: dict[str, Kind] = {
    "manifests": "manifests",
    "blobs": "blobs",
    "tags": "tags",
    "referrers": "referrers",
}


def parse(path: str) -> Route:
    """The route of a decoded path without a leading slash.

    Raises NameInvalid and DigestInvalid, which are InvalidRequest, for malformed names, and
    NotFound for tags that cannot be and for paths that are no endpoint.
    """
    if path == CATALOG:
        return Route(path, listing=True)
    repository, kind, reference = split(path)
    if kind is None:
        raise NotFound(f"{path!r} is no manifest, blob or list of a repository", path=path)
    check_name(repository)
    if kind == "tags":
        return Route(path, Freshness.LISTING, merged=True)
    if kind == "referrers":
        parse_digest(reference)
        return Route(path, Freshness.LISTING, merged=True)
    if kind == "manifests" and ":" not in reference:
        return Route(f"{repository}/manifests/{check_tag(reference, path)}", moving=True)
    return Route(path, Freshness.IMMUTABLE, digest=parse_digest(reference))


def split(path: str) -> tuple[str, Kind | None, str]:
    """Repository, kind and reference, unchecked; the kind is None for what is no endpoint.

    The path is read from its end: a component of a repository's name may be ``manifests``,
    ``blobs``, ``tags`` or ``referrers`` too.
    """
    parts = path.rsplit("/", 2)
    if len(parts) != 3:
        return path, None, ""
    repository, word, reference = parts
    kind = _KINDS.get(word)
    if kind == "tags" and reference != "list":
        return repository, None, reference
    return repository, kind, reference


def by_digest(repository: str, digest: tuple[Algorithm, str]) -> Route:
    """The route of the manifest with this digest."""
    path = f"{repository}/manifests/{print_digest(digest)}"
    return Route(path, Freshness.IMMUTABLE, digest=digest)


def by_tag(repository: str, tag: str) -> Route:
    return parse(f"{repository}/manifests/{tag}")
