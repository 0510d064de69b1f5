"""All there is in the API."""

from __future__ import annotations

import importlib.metadata

from virtreg.wsgi.api import (
    associations,
    cleanups,
    entries,
    explaining,
    filling,
    groups,
    local,
    logins,
    openapi,
    ownerships,
    policies,
    registries,
    rules,
    storage,
    trials,
    upstreams,
)
from virtreg.wsgi.api.endpoint import Endpoint
from virtreg.wsgi.api.parts import Parts

_MODULES = (
    registries,
    upstreams,
    local,
    trials,
    logins,
    associations,
    entries,
    rules,
    ownerships,
    explaining,
    filling,
    policies,
    cleanups,
    groups,
    storage,
)


def every_endpoint(parts: Parts) -> list[Endpoint]:
    """Endpoints of the parts; the first whose path fits answers."""
    found = [endpoint for module in _MODULES for endpoint in module.endpoints(parts)]
    return [*found, openapi.endpoint_of(found, importlib.metadata.version("virtreg"))]
