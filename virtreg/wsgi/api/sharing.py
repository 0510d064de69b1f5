"""Upstreams that registries of several groups list."""

from __future__ import annotations

from virtreg.errors import Forbidden, NotFound
from virtreg.managed import ManagedUpstream
from virtreg.model import Principal
from virtreg.wsgi.api.endpoint import Call
from virtreg.wsgi.api.parts import Parts


def allow_change(
    parts: Parts, call: Call, upstream: ManagedUpstream | None
) -> tuple[ManagedUpstream, Principal]:
    """As :meth:`Call.allow` to configure it, for what is of all groups that pull from it: its rules
    and its cache. Raises what that does, and Forbidden for who may not in all of them."""
    upstream, who = call.allow("configure", upstream)
    places = parts.catalog.associations_of(upstream.id)
    listing = [parts.catalog.registry(each.registry_id) for each in places]
    groups = {registry.spec.group for registry in listing if registry is not None}
    for group in sorted(groups - {upstream.group}):
        try:
            call.admit("configure", group)
        except (Forbidden, NotFound):
            raise Forbidden(
                "configure: registries of other groups list this upstream, and the role of a"
                " maintainer is needed in all of them"
            ) from None
    return upstream, who
