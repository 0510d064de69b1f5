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
            _warn(event, answer.detail, answer.upstream)
        case FillFailed(upstream=upstream, reason=reason):
            _warn(event, f"not kept: {reason}", upstream)
        case ServedStale(upstream=upstream):
            _warn(event, f"served a stale copy from upstream {upstream!r}", upstream)
        case Merged(left_out=(_, *_) as left_out):
            _warn(event, f"merged without upstreams {', '.join(left_out)}", *left_out)


def _warn(event: Event, what: str, *upstreams: str) -> None:
    facts = {"registry": event.registry, "path": event.path, "upstreams": upstreams}
    _log.warning("%s/%s: %s", event.registry, event.path, what, extra=facts)
