"""One upstream's part of a merged document, read page after page until it is whole."""

from __future__ import annotations

import time

from attrs import evolve, field, frozen

from virtreg.errors import IntegrityError, UpstreamTimeout
from virtreg.model import Algorithm, Entry, Query
from virtreg.protocols import Gathers, Reply
from virtreg.service.digesting import digest
from virtreg.service.exchange import Exchange
from virtreg.service.intake import Intake

MOST_PAGES = 1000
"""Of one document; more are no list but a trap."""


@frozen
class _Page(Exchange):
    """Remembers the reply that was read in the end: a page that broke off was asked for again,
    and if the list changed in between, only that reply tells where it goes on."""

    replies: list[Reply] = field(factory=list, repr=False)

    def again(
        self, *, offset: int = 0, stop: int | None = None, if_range: str | None = None
    ) -> Reply:
        reply = super().again(offset=offset, stop=stop, if_range=if_range)
        self.replies.append(reply)
        return reply


def read_pages(intake: Intake, exchange: Exchange, reply: Reply) -> tuple[bytes, Entry]:
    """Take the reply over, read it and whatever pages follow, and give them as one document with
    its entry. A sole page is given byte for byte.

    Raises as :meth:`Intake.read`, IntegrityError when a page is gone, comes twice, or all of
    them are more than :data:`MOST_PAGES` or than the expectation's ``max_bytes``, and
    UpstreamTimeout when all of them take longer than one exchange may.
    """
    limit = exchange.upstream.spec.total_timeout
    ends = time.monotonic() + limit
    page = _page(exchange, exchange.expectation.query)
    page.replies.append(reply)
    document, entry = intake.read(page, reply)
    gathers = exchange.format
    if not isinstance(gathers, Gathers):
        return document, entry
    pages, size = [document], len(document)
    asked = {exchange.expectation.query}
    while (query := _following(gathers, page)) is not None:
        if query in asked:
            raise _corrupt(exchange, "links a page to one that came before")
        if len(pages) == MOST_PAGES:
            raise _corrupt(exchange, f"sends more than the {MOST_PAGES} pages that are taken")
        if time.monotonic() >= ends:
            raise UpstreamTimeout(
                f"{exchange.name} did not send all pages in {limit:g} s", upstream=exchange.name
            )
        asked.add(query)
        page = _page(exchange, query)
        document, _ = intake.read(page, page.again())
        pages.append(document)
        size += len(document)
        exchange.refuse_beyond_limit(size)
    if len(pages) == 1:
        return document, entry
    try:
        whole = gathers.join(exchange.route, pages)
    except IntegrityError as error:
        error.upstream = exchange.name
        raise
    return whole, _entry_of_all(entry, whole)


def _page(exchange: Exchange, query: Query) -> _Page:
    return _Page(
        exchange.upstream,
        exchange.route,
        exchange.format,
        evolve(exchange.expectation, query=query),
    )


def _following(gathers: Gathers, page: _Page) -> Query | None:
    try:
        return gathers.following(page.route, page.replies[-1].headers)
    except IntegrityError as error:
        error.upstream = page.name
        raise


def _corrupt(exchange: Exchange, what: str) -> IntegrityError:
    return IntegrityError(f"{exchange.name} {what}", upstream=exchange.name)


def _entry_of_all(first: Entry, whole: bytes) -> Entry:
    """Without validators: the first page's say nothing about the others."""
    digests = digest([whole], Algorithm)
    return evolve(
        first,
        sha256=digests[Algorithm.SHA256],
        size=len(whole),
        sha1=digests[Algorithm.SHA1],
        md5=digests[Algorithm.MD5],
        sha512=digests[Algorithm.SHA512],
        etag=None,
        last_modified=None,
    )
