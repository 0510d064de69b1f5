"""All there is in the API."""

from __future__ import annotations

from virtreg.wsgi.api import associations, registries, trials, upstreams
from virtreg.wsgi.api.endpoint import Endpoint
from virtreg.wsgi.api.parts import Parts

_MODULES = (registries, upstreams, trials, associations)


def every_endpoint(parts: Parts) -> list[Endpoint]:
    """Endpoints of the parts; the first whose path fits answers."""
    return [endpoint for module in _MODULES for endpoint in module.endpoints(parts)]
