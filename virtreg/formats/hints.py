"""Which setting of an upstream changes the outcome, for error bodies."""

from __future__ import annotations

from virtreg.errors import EgressRefused, UpstreamError, UpstreamRefused


def hint(error: UpstreamError) -> str:
    """Sentences that name the settings, for the person who keeps the configuration; empty when
    none would help."""
    upstream = f"upstream {error.upstream!r}" if error.upstream else "the upstream"
    if isinstance(error, EgressRefused):
        return f"allow_private lists the address ranges {upstream} may reach."
    sentences = []
    if isinstance(error, UpstreamRefused):
        sentences.append(
            f'Check the credentials of {upstream}; if they are right, on_refused = "absent" reads '
            "its 401 and 403 as not found."
        )
    if error.barred:
        sentences.append(
            f'on_error = "continue" for {upstream} lets requests pass it while it is broken; a '
            "lower position may then answer in its place."
        )
    return " ".join(sentences)
