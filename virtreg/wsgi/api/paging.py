"""Pages of a list, as GitLab's API tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from msgspec import Meta

from virtreg.model import Headers
from virtreg.wsgi.api.endpoint import Answer

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

MOST_COUNTED: Final = 10_000
"""Things that are counted for a total. Of more, GitLab tells no total either: counting them all
costs more than the page does."""

MOST_ON_A_PAGE: Final = 100

_MOST_PAGES: Final = 2**31 - 1


class Paging(msgspec.Struct, kw_only=True):
    """Which page."""

    page: Annotated[int, Meta(ge=1, le=_MOST_PAGES, description="Which page, from 1.")] = 1
    # No upper bound: who asks GitLab for more gets what is allowed.
    per_page: Annotated[
        int, Meta(ge=1, description="How many on a page; 100 at most are given.")
    ] = 20

    @property
    def limit(self) -> int:
        return min(self.per_page, MOST_ON_A_PAGE)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


def page_answer(
    content: Sequence[object], environ: WSGIEnvironment, url: str, paging: Paging, total: int
) -> Answer:
    """One page of a list of ``total``, which is not counted beyond ``MOST_COUNTED``. ``url`` is
    that of the application."""
    counted = total if total <= MOST_COUNTED else None
    more = paging.offset + len(content) < total
    return Answer(content, headers=page_headers(environ, url, paging, counted, more=more))


def page_headers(
    environ: WSGIEnvironment, url: str, paging: Paging, total: int | None, *, more: bool
) -> Headers:
    """``total``: None where it was not counted. ``more``: another page follows. ``url`` is that of
    the application."""
    page = paging.page
    following = page + 1 if more and page < _MOST_PAGES else None
    before = page - 1 if page > 1 else None
    headers = [
        ("X-Page", str(page)),
        ("X-Per-Page", str(paging.limit)),
        ("X-Next-Page", "" if following is None else str(following)),
        ("X-Prev-Page", "" if before is None else str(before)),
    ]
    rels: dict[str, int | None] = {"prev": before, "next": following, "first": 1}
    if total is not None:
        pages = max(1, -(-total // paging.limit))
        headers += [("X-Total", str(total)), ("X-Total-Pages", str(pages))]
        rels["last"] = pages
    # PATH_INFO holds bytes as Latin-1 (PEP 3333).
    here = url + quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/-._~")
    pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    # Credentials may stand in a query; links end in logs.
    kept = [(k, v) for k, v in pairs if k not in ("page", "per_page") and not k.endswith("_token")]
    links = (
        f'<{here}?{urlencode([*kept, ("page", number), ("per_page", paging.limit)])}>; rel="{rel}"'
        for rel, number in rels.items()
        if number is not None
    )
    return (*headers, ("Link", ", ".join(links)))
