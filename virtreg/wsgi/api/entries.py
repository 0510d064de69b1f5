"""What is cached of an upstream."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

from attrs import frozen
from msgspec import Meta, Struct

from virtreg.core.freshness import fresh_until
from virtreg.errors import NotFound, VirtregError
from virtreg.formats import named
from virtreg.managed import ManagedUpstream
from virtreg.model import Entry
from virtreg.wsgi.api.endpoint import NOTHING, Answer, Call, Endpoint
from virtreg.wsgi.api.entry_ids import entry_id, parse_entry_id
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.moments import moment, moment_or_none
from virtreg.wsgi.api.paging import Paging, page_answer
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sharing import allow_change
from virtreg.wsgi.api.shown import Moment


class EntrySearch(Paging, kw_only=True):
    search: Annotated[
        str,
        Meta(
            max_length=1024,
            description="Part of the path, in any case. A slash at the beginning does not count.",
        ),
    ] = ""


class CacheEntry(Struct, kw_only=True):
    id: Annotated[str, Meta(description="To be used as it is.")]
    group_id: int | None
    upstream_id: int
    upstream_checked_at: Annotated[
        Moment, Meta(description="1970-01-01: it is asked for again when it is next wanted.")
    ]
    file_md5: str | None
    file_sha1: str | None
    size: int
    relative_path: str
    content_type: str | None
    upstream_etag: str | None
    created_at: Moment
    updated_at: Moment
    downloads_count: int
    downloaded_at: Moment | None
    sha256: str
    fresh_until: Annotated[
        Moment | None, Meta(description="Until when it is served unchecked; null: for good.")
    ]


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Entries(parts, flavour).offer()]


@frozen(eq=False)
class _Entries:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        yield Endpoint(
            "GET",
            f"{self.flavour.root}/upstreams/{{id}}/cache_entries",
            f"List what is cached of a {self.flavour.title} upstream, the newest first",
            self.search,
            query=EntrySearch,
            gives=list[CacheEntry],
            paged=True,
        )
        yield Endpoint(
            "DELETE",
            f"{self.flavour.root}/cache_entries/{{rest}}",
            f"Delete one file from the cache of a {self.flavour.title} upstream, by its identifier",
            self.remove,
            status=204,
            action="configure",
        )

    def search(self, call: Call) -> Answer:
        upstream, _ = call.allow("read", self.parts.upstream_of(call, self.flavour))
        asked = call.asked(EntrySearch)
        # One more than is shown says whether another page follows, where they are not counted.
        found, total = self.parts.index.recent(
            upstream.spec.key,
            search=asked.search.removeprefix("/"),
            limit=asked.limit + 1,
            offset=asked.offset,
        )
        total = max(total, asked.offset + len(found))
        shown = self._shown(upstream, found[: asked.limit])
        return page_answer(shown, call.environ, self.parts.url(call.environ), asked, total)

    def remove(self, call: Call) -> Answer:
        number, path = parse_entry_id(call.path["rest"]) or (0, "")
        found = self.flavour.own_upstream(self.parts.catalog.upstream(number))
        upstream, who = allow_change(self.parts, call, found)
        if not self._forget(upstream, path):
            raise NotFound("there is no such entry")
        self.parts.catalog.announce()
        self.parts.tell(call, who, "cache", path, "deleted")
        return NOTHING

    def _forget(self, upstream: ManagedUpstream, path: str) -> int:
        """From every registry's answers; the number of entries that there were."""
        places = self.parts.catalog.associations_of(upstream.id)
        serving = [self.parts.registry(each.registry_id) for each in places]
        source = upstream.spec.key
        forgotten = [each.forget(source, path) for each in serving if each is not None]
        return sum(forgotten) + self.parts.index.drop(source, path)

    def _shown(self, upstream: ManagedUpstream, entries: list[Entry]) -> list[CacheEntry]:
        group = self.parts.directory.group(upstream.group)
        keys = [(entry.source, entry.path) for entry in entries]
        downloads = self.parts.index.downloads_of(keys)
        return [
            _shown(
                entry,
                upstream,
                None if group is None else group.id,
                *downloads.get((entry.source, entry.path), (0, None)),
            )
            for entry in entries
        ]


def _shown(
    entry: Entry, upstream: ManagedUpstream, group_id: int | None, times: int, last: float | None
) -> CacheEntry:
    checked_at = max(0.0, entry.checked_at)
    return CacheEntry(
        id=entry_id(upstream.id, entry.path),
        group_id=group_id,
        upstream_id=upstream.id,
        upstream_checked_at=moment(checked_at),
        file_md5=entry.md5 or None,
        file_sha1=entry.sha1 or None,
        size=entry.size,
        relative_path=f"/{entry.path}",
        content_type=entry.content_type,
        upstream_etag=entry.etag,
        created_at=moment(entry.created_at),
        updated_at=moment(max(entry.created_at, checked_at)),
        downloads_count=times,
        downloaded_at=moment_or_none(last),
        sha256=entry.sha256,
        fresh_until=_fresh_until(entry, upstream),
    )


def _fresh_until(entry: Entry, upstream: ManagedUpstream) -> str | None:
    try:
        freshness = named(upstream.format).route(entry.path).freshness
    except VirtregError:
        return moment(0)  # nobody can ask for it
    until = fresh_until(entry, freshness, upstream.spec)
    return None if math.isinf(until) else moment(max(0.0, until))
