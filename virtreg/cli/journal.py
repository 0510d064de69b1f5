"""What went wrong with upstreams, as log records of the bundled server."""

from __future__ import annotations

import logging

from virtreg.events import Event, FillFailed, Merged, ServedStale, UpstreamFailed

_log = logging.getLogger(__name__)


def journal(event: Event) -> None:
    """An observer: one warning for each event that somebody may have to act on.

    What went well is in the access log.
    """
    match event:
        case UpstreamFailed(answer=answer):
            _warn(event, answer.upstream, answer.detail)
        case FillFailed(upstream=upstream, reason=reason):
            _warn(event, upstream, f"not kept: {reason}")
        case ServedStale(upstream=upstream):
            _warn(event, upstream, "served a stale copy")
        case Merged(left_out=(_, *_) as left_out):
            _warn(event, ", ".join(left_out), "left out of a merged document")


def _warn(event: Event, upstream: str, reason: str) -> None:
    facts = {"registry": event.registry, "path": event.path, "upstream": upstream}
    _log.warning("%s/%s: %s: %s", event.registry, event.path, upstream, reason, extra=facts)
