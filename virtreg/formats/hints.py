"""Which setting of an upstream changes the outcome, for error bodies."""

from __future__ import annotations

from virtreg.errors import EgressRefused, UpstreamError, UpstreamRefused


def hint(error: UpstreamError) -> str:
    """One or two sentences that name the settings, for the person who keeps the configuration."""
    upstream = f"upstream {error.upstream!r}" if error.upstream else "the upstream"
    if isinstance(error, EgressRefused):
        return f"allow_private lists the address ranges {upstream} may reach."
    switch = (
        f'on_error = "continue" for {upstream} lets requests pass it while it is broken; a lower '
        "position may then answer in its place."
    )
    if isinstance(error, UpstreamRefused):
        switch += ' on_refused = "absent" reads its 401 and 403 as not found.'
    return switch
