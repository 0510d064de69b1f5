"""``Link: <...>; rel="next"``, by which a long list tells where it goes on (RFC 8288; OCI
distribution-spec 1.1.1, "Listing Tags")."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from virtreg.errors import IntegrityError
from virtreg.model import Headers, Query

# A string that does not end is one all the same, or each quote in it would be tried anew.
_LINK = re.compile(r'<([^<>]*)>((?:[^,"]|"[^"\\]*(?:\\.[^"\\]*)*"?)*)', re.DOTALL)
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)
_MAX_FIELDS = 16


def next_query(link: str) -> Query | None:
    """The query of the first ``rel="next"`` in a ``Link`` value, or None.

    The rest of the target is not looked at: where the next page is asked for is known already.
    Raises IntegrityError for one that cannot be asked for: the list would seem to end there.
    """
    for target, parameters in _LINK.findall(link):
        relation = _RELATION.search(parameters)
        if relation is None or "next" not in (relation[1] or relation[2] or "").lower().split():
            continue
        try:
            query = parse_qsl(
                urlsplit(target.strip()).query,
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_FIELDS,
            )
        except ValueError:
            query = []
        if not query:
            raise IntegrityError('the Link to the next page (rel="next") has no usable query')
        return tuple(query)
    return None


def next_link(url: str, query: Query) -> Headers:
    """The header that names the next page: ``url``, percent-encoded, with ``query``."""
    return (("Link", f'<{url}?{urlencode(query)}>; rel="next"'),)
