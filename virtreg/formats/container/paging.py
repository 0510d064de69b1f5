"""``n`` and ``last``: a long list in parts (OCI distribution-spec 1.1.1, "Listing Tags")."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from virtreg.errors import InvalidRequest
from virtreg.formats.container.links import next_link
from virtreg.model import Headers

MAX_PAGE = 10_000
"""Names in one part; a larger ``n`` is read as this one."""

Rank = Callable[[str], tuple[str, ...]]
"""A name's place in an order."""


def asked(query: Mapping[str, str]) -> bool:
    return "n" in query or "last" in query


def page(
    names: Sequence[str], rank: Rank, url: str, query: Mapping[str, str]
) -> tuple[list[str], Headers]:
    """At most ``n`` names after ``last``, which need not exist, and the link to those that follow.

    ``names`` is sorted by ``rank``. ``n=0`` is an empty part and links to nothing. A query's
    ``ns`` goes into the link: without it the link could mean another registry. Raises
    InvalidRequest naming ``n`` when it is not a number from 0 up.
    """
    begin = 0
    if "last" in query:
        begin = bisect_right(names, rank(query["last"]), key=rank)
    rest = names[begin:]
    if "n" not in query:
        return list(rest), ()
    count = _number(query["n"])
    part = list(rest[:count])
    if not part or len(part) == len(rest):
        return part, ()
    following = (("n", str(count)), ("last", part[-1]))
    scope = (("ns", query["ns"]),) if "ns" in query else ()
    return part, next_link(url, (*following, *scope))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InvalidRequest("n: must be a number from 0 up")
    return MAX_PAGE if len(text) > 9 else min(MAX_PAGE, int(text))
