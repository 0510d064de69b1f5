"""What a caller must be allowed, to be answered."""

from __future__ import annotations

from virtreg.formats.container.routes import CATALOG, split
from virtreg.model import Scope
from virtreg.wsgi.distribution import FORMAT
from virtreg.wsgi.place import Served

_UPLOADS = "/blobs/uploads"
"""Of the repository before it; refused, but to whoever may know the repository in other words."""


def scope_of(served: Served, path: str) -> Scope:
    """``path`` is decoded and unchecked; empty for the registry as a whole."""
    spec = served.registry.spec
    return Scope(
        served.name,
        path,
        repository=_repository(path) if served.format.name == FORMAT else "",
        group=spec.group,
        public=spec.public,
    )


def _repository(path: str) -> str:
    """The image that a path is about; empty for lists of the whole registry, and for what is no
    endpoint."""
    if path == CATALOG:
        return ""
    repository, kind, _ = split(path)
    return path.rpartition(_UPLOADS)[0] if kind is None else repository
