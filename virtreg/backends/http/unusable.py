"""An upstream whose spec cannot be used."""

from __future__ import annotations

from attrs import frozen

from virtreg.errors import UpstreamUnavailable
from virtreg.model import Fetch, UpstreamSpec
from virtreg.protocols import Reply


@frozen(eq=False)
class UnusableUpstream:
    """The protocol ``Upstream``, for one that was stored and cannot be asked here, such as after
    its certificates or its command went away: it is broken, and all others go on. Why is for the
    log: it may name files, and whoever pulls is told what is raised here."""

    spec: UpstreamSpec

    def fetch(self, request: Fetch) -> Reply:  # noqa: ARG002
        """Raises UpstreamUnavailable."""
        raise UpstreamUnavailable(
            f"{self.spec.name} cannot be used; the server's log says why", upstream=self.spec.name
        )

    def close(self) -> None:
        """Nothing is held."""
