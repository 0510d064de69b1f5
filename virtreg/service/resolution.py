"""What a registry answers."""

from __future__ import annotations

from attrs import define

from virtreg.model import Digests, Representation, Route
from virtreg.protocols import Body
from virtreg.service.arrival import Arrival


@define
class Resolved:
    """The protocol ``Resolution``."""

    route: Route
    source: str
    representation: Representation
    body: Body
    origin: str
    expires_at: float
    arrival: Arrival | None = None
    """Set while the body may still be on its way."""
    warning: str = ""

    def proved(self) -> Digests:
        """All digests, waiting for the end of a download. Raises what it failed with."""
        if self.arrival is None:
            return self.representation.digests
        return self.arrival.proved().digests
