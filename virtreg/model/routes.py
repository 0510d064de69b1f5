"""What one request asks for."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import frozen

from virtreg.model.digests import Algorithm


class Freshness(enum.Enum):
    """Which validity setting decides how long a cached path is served without asking again."""

    IMMUTABLE = "immutable"
    """Never asked for again: the path can only ever mean these bytes."""
    ARTIFACT = "artifact"
    """``cache_validity_hours``; 0 turns checks off."""
    METADATA = "metadata"
    """``metadata_cache_validity_hours``; for documents that are meant to change."""
    LISTING = "listing"
    """As METADATA, but five minutes at most; for documents that say what there is."""


@frozen
class Route:
    """What one request asks of a registry, decided by ``Format.route`` from the path alone."""

    path: str
    """Canonical path without a leading slash: the cache key, and what an upstream is asked."""
    freshness: Freshness = Freshness.ARTIFACT
    merged: bool = False
    """The document is built from every upstream's own document at this path."""
    checksum: Algorithm | None = None
    """When set, the answer is this digest of the body at ``path``, as hex text."""
    digest: tuple[Algorithm, str] | None = None
    """The digest the body must have, when the path itself fixes it."""
    moving: bool = False
    """The path is a name that moves from body to body, such as a tag; the format's power Pins
    tells the path that a body has for itself."""
    listing: bool = False
    """Answered from what the cache holds, by the format's power Lists; no upstream is asked."""


Coordinates = Mapping[str, str]
"""What a path is about, as its format tells it: ``group_id``, ``artifact_id`` and ``version`` of a
Maven file, ``image`` and ``tag`` of an image. What a path does not tell is missing."""
