"""The protocols third parties implement. Each docstring is the contract; the suites in
:mod:`virtreg.testing` check it.

Unless a docstring says otherwise every object here is used from many threads at once, and an
implementation may raise only errors of :mod:`virtreg.errors`; anything else is a bug in it and is
wrapped at the boundary. Optional powers are separate protocols, found with ``isinstance``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, runtime_checkable

from virtreg.core.identity import Group, Role, Token, User
from virtreg.errors import VirtregError
from virtreg.managed import CleanupPolicy, GroupSettings
from virtreg.model import (
    Coordinates,
    Credentials,
    Digests,
    Entry,
    Examination,
    Expectation,
    Fetch,
    Headers,
    Login,
    Principal,
    Problem,
    Query,
    RegistrySpec,
    Representation,
    Route,
    Scope,
    UpstreamSpec,
    View,
)


class Reply(Protocol):
    """An upstream's answer with its body still on the wire. Used by one thread; always closed."""

    @property
    def status(self) -> int:
        """200 or 206 (found), 304 (unchanged), 404 or 410 (absent). Nothing else."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    @property
    def length(self) -> int | None:
        """Bytes the body will have, or None when the upstream did not say."""
        ...

    def read(self, limit: int) -> bytes:
        """Return up to ``limit`` bytes as soon as any are there, ``b""`` at the true end.

        Raises UpstreamTimeout or UpstreamUnavailable on a stall or a cut; a body shorter than
        ``length`` is a cut, never an end.
        """
        ...

    def close(self) -> None:
        """Give the connection back, or drop it when the body was not read to its end."""
        ...


class Upstream(Protocol):
    """One upstream registry."""

    @property
    def spec(self) -> UpstreamSpec: ...

    def fetch(self, request: Fetch) -> Reply:
        """Ask once, following redirects, and answer when the headers are there.

        ``Reply.status`` is definite. Everything else raises: UpstreamRefused (401, 403), its
        EgressRefused (an address the egress policy forbids, a redirect that may not be followed),
        UpstreamDenied (401, 403 to a token that its token service had just given),
        UpstreamThrottled (429, or 503 with ``Retry-After``; carries ``retry_after``),
        UpstreamTimeout, UpstreamUnavailable (5xx, connection trouble, any other status),
        UpstreamBusy (its own limit of connections was reached), UpstreamError itself (another
        4xx: it is well and does not take this request, which says nothing about the next).
        Credentials go only to the configured origin and to the token service it names, where the
        spec allows that one. HEAD answers as GET does, with ``Reply.length`` from its headers and
        no body.
        """
        ...

    def close(self) -> None: ...


class LocalSource(Protocol):
    """An upstream that is on this server: another registry, or a folder. It is asked by route,
    each time, and its bodies are read where they are."""

    @property
    def spec(self) -> UpstreamSpec: ...

    def resolve(self, route: Route) -> Resolution:
        """What it has under a route without ``checksum``, which ``Format.route`` has checked. The
        caller closes ``Resolution.body``. Raises NotFound for what is not to be had there, and
        UpstreamError when that cannot be told, naming this upstream and nothing behind it."""
        ...

    def describe(self, route: Route) -> Resolution:
        """As ``resolve``, for the facts alone: no body need be fetched for them."""
        ...

    def close(self) -> None: ...


class CredentialProvider(Protocol):
    """Where an upstream's login comes from, when it is not in the configuration."""

    def login(self) -> Login:
        """The login of this moment; slow ones are cached by the caller until ``expires_at``, or
        until the upstream refuses them. Raises UpstreamUnavailable when there is none, without
        telling what was printed or read."""
        ...


class Body(Protocol):
    """Bytes that can be read from any place, any number of times, by any thread, until closed."""

    @property
    def size(self) -> int | None:
        """Bytes in all; None while that is not known yet."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes ``start <= i < stop`` (to the end when None) in pieces of at most
        256 KiB, waiting for bytes that are still arriving.

        Raises the reason when the body will never be whole, before the last byte is yielded.
        """
        ...

    def close(self) -> None:
        """Give back what is held; repeatable."""
        ...

    # Given to implementations that inherit the protocol.

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@runtime_checkable
class HasFile(Protocol):
    """Power of a Body: it is exactly one regular file."""

    def file(self) -> BinaryIO:
        """An open file at offset 0, owned by the caller, for ``wsgi.file_wrapper``."""
        ...


class CacheStore(Protocol):
    """Content-addressed blobs. Keys come from :mod:`virtreg.core.layout`, never from a client."""

    def open(self, key: str) -> Body:
        """The whole blob; raises Missing when the store does not hold it."""
        ...

    def put(self, key: str, content: Path | bytes) -> None:
        """Publish a finished, verified blob: all or nothing, durable on return, and harmless when
        the key exists already. A path's file may be moved away; its open descriptors stay good.
        Renews the blob's ``modified_at``.
        """
        ...

    def delete(self, key: str) -> None:
        """Forget a blob; no error when absent. Bodies already open stay readable where the
        storage allows it, else they raise StorageError, never wrong bytes."""
        ...

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        """Every ``(key, size, modified_at)`` under the prefix, in any order, lazily."""
        ...


@runtime_checkable
class Spools(Protocol):
    """Power of a CacheStore: a folder from which ``put`` is a rename."""

    def spool(self) -> Path: ...


@runtime_checkable
class Reclaims(Protocol):
    """Power of a CacheStore: delete what is old, and only that."""

    def reclaim(self, key: str, before: float) -> int | None:
        """Delete a blob that was last put before that time (seconds since the epoch), as ``delete``
        does. Its size in bytes; None, with nothing deleted, when it was put later or is absent."""
        ...


class EntryIndex(Protocol):
    """Which source holds which path as which blob."""

    def find(self, path: str, sources: Sequence[str]) -> list[Entry]:
        """The entries of one path, in one query, in any order. The hot path's only query."""
        ...

    def put(self, entries: Sequence[Entry]) -> None:
        """Insert or replace by (source, path), all or none."""
        ...

    def touch(self, source: str, path: str, checked_at: float) -> None:
        """Set ``checked_at`` of one entry; no error when it is gone."""
        ...

    def drop(self, source: str, path: str | None = None) -> int:
        """Remove one entry, or all of a source; the number removed."""
        ...

    def page(
        self, source: str, *, after: str = "", limit: int = 100, search: str = ""
    ) -> list[Entry]:
        """Entries of one source in path order, with path > ``after``, at most ``limit``, whose
        path contains ``search`` (case-insensitive, no wildcards)."""
        ...

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Take or renew a named lease until ``now + seconds``. True exactly when ``holder`` has
        it on return: it was free, expired, or already the holder's. ``seconds`` 0 gives it up."""
        ...


@runtime_checkable
class CountsDownloads(Protocol):
    """Power of an EntryIndex: keep download counts, apart from the entries so that counting never
    disturbs a reader."""

    def count(self, downloads: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        """Add ``(source, path) -> (times, last_at)`` to what is kept."""
        ...

    def downloads(self, source: str, path: str) -> tuple[int, float | None]:
        """``(times, last_at)``; ``(0, None)`` when never downloaded."""
        ...


@runtime_checkable
class KnowsDigests(Protocol):
    """Power of an EntryIndex: find a body that came from a source under any path."""

    def holding(self, source: str, sha256: str) -> Entry | None:
        """Some entry of the source with this digest; one cheap query."""
        ...


@runtime_checkable
class KnowsReferences(Protocol):
    """Power of an EntryIndex: tell which blobs are still needed."""

    def referenced(self, digests: Sequence[str]) -> set[str]:
        """Those of the given sha256 digests that some entry refers to."""
        ...


@runtime_checkable
class KnowsUse(Protocol):
    """Power of an EntryIndex: tell what is kept, how much it is, and when it was last wanted."""

    def recent(
        self, source: str, *, search: str = "", limit: int = 20, offset: int = 0
    ) -> tuple[list[Entry], int]:
        """Entries of one source whose path contains ``search`` (as in ``page``), newest first,
        and how many there are: more than 10,000 are told as 10,001."""
        ...

    def downloads_of(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[int, float]]:
        """``(source, path) -> (times, last_at)`` of those that were ever downloaded."""
        ...

    def usage(self) -> Mapping[str, tuple[int, int]]:
        """``source -> (entries, bytes)``; a blob counts once for each source that has it."""
        ...

    def used(self, sources: Sequence[str]) -> int:
        """Bytes that these sources keep together; a blob counts once."""
        ...


@runtime_checkable
class Evicts(Protocol):
    """Power of an EntryIndex: remove what is wanted least, a little at a time.

    The digests of what these methods remove are ``loose`` until they are ``settled``, so that
    blobs are freed even if the process ends in between.
    """

    def least_recent(self, sources: Sequence[str]) -> Iterator[tuple[Entry, float | None]]:
        """Entries of these sources with the time of their last download, the longest unused first:
        one that was never downloaded counts from ``created_at``. Lazily, with memory for some
        hundred entries of each source; what changes meanwhile may be met again."""
        ...

    def drop_entries(self, seen: Sequence[tuple[Entry, float | None]]) -> list[Entry]:
        """Remove entries, with their download counts, in one short transaction; those removed.
        Spares what has changed, or was downloaded, since it was seen so."""
        ...

    def drop_some(self, source: str, limit: int) -> int:
        """Remove up to ``limit`` entries of a source, with their download counts, in one short
        transaction; the number removed."""
        ...

    def loose(self, *, after: str = "", limit: int = 500) -> list[str]:
        """Digests > ``after``, in order, of which an entry was removed."""
        ...

    def settle(self, digests: Sequence[str]) -> None:
        """Their blobs have been looked at."""
        ...

    def referenced_in(self, sources: Sequence[str], digests: Sequence[str]) -> set[str]:
        """Those of the given sha256 digests that some entry of these sources refers to."""
        ...

    def stray_counts(
        self, after: tuple[str, str] | None = None, limit: int = 1000
    ) -> tuple[list[tuple[str, str, float]], tuple[str, str] | None]:
        """Of the next ``limit`` download counts, ``(source, path, last_at)`` of those that have no
        entry, and what to go on ``after``, None at the end."""
        ...

    def drop_counts(self, keys: Sequence[tuple[str, str]], upto: float) -> int:
        """Forget download counts, by (source, path), of downloads up to that time; the number
        forgotten."""
        ...


@runtime_checkable
class ListsByDigest(Protocol):
    """Power of an EntryIndex: be compared with a store."""

    def by_digest(
        self, after: tuple[str, str, str] = ("", "", ""), limit: int = 500
    ) -> list[Entry]:
        """Entries in order of (sha256, path, source), beyond ``after``."""
        ...


class Inventory(
    EntryIndex, CountsDownloads, KnowsReferences, KnowsUse, Evicts, ListsByDigest, Protocol
):
    """An EntryIndex that can be cleaned up and checked."""


class Policies(Protocol):
    """What groups want to be kept; part of a Catalog that is managed."""

    def policy(self, group: str) -> CleanupPolicy | None: ...

    def policies(self) -> list[CleanupPolicy]:
        """By group."""
        ...

    def change_policy(
        self, group: str, change: Callable[[CleanupPolicy], CleanupPolicy]
    ) -> CleanupPolicy | None:
        """Replace a policy by what ``change`` makes of it, with nobody else's change in between;
        what it is then. None where there is none."""
        ...

    def settings(self, group: str) -> GroupSettings:
        """Those of a group that has set nothing are the usual ones."""
        ...

    def registries(self) -> tuple[RegistrySpec, ...]:
        """All of them, by id."""
        ...

    def sources_of(self, group: str) -> Mapping[str, str]:
        """``source -> format`` of what the group's registries keep."""
        ...

    def retired(self) -> list[str]:
        """Sources that are not in use any more, whose entries are to go."""
        ...

    def forget_retired(self, source: str) -> None:
        """Its entries are gone. No error when it is not there."""
        ...


class Catalog(Protocol):
    """The registries there are."""

    def revision(self) -> int:
        """A number that grows with every change; cheap."""
        ...

    def registries(self) -> tuple[RegistrySpec, ...]:
        """All of them, by id."""
        ...


class Authenticator(Protocol):
    """Decides who a caller is and whether they may."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated (nobody known: challenge them), Forbidden (known, not allowed) or
        NotFound (known, and not to learn whether there is such a registry). Called for every
        request; an implementation caches what is slow."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """Power of an Authenticator: say that somebody it admitted is good no more, for grants that
    outlive the request they were made in."""

    def stands(self, principal: Principal) -> bool:
        """False once the token was revoked or ended, or its user blocked. Fast: asked for every
        request that shows a grant."""
        ...


@runtime_checkable
class Readmits(Protocol):
    """Power of an Authenticator: decide for somebody it admitted before, who shows no credentials
    this time but a refresh token."""

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        """What ``admit`` would say to the credentials the principal came with. Raises what
        ``admit`` raises, Unauthenticated when they are good no more."""
        ...


class Directory(Protocol):
    """Who there is: users, groups, members and tokens."""

    def revision(self) -> int:
        """A number that grows with every change but uses of tokens, also of other processes;
        cheap enough to ask once a second."""
        ...

    def user(self, name: str) -> User | None: ...

    def users(self) -> list[User]:
        """By name."""
        ...

    def save_user(self, user: User) -> None:
        """Insert or replace by name. May raise Conflict when the name of a new one could be taken
        for another's."""
        ...

    def remove_user(self, name: str) -> None:
        """With memberships and tokens. Raises NotFound."""
        ...

    def group(self, name: str) -> Group | None: ...

    def groups(self) -> list[Group]:
        """By id."""
        ...

    def add_group(self, name: str) -> Group:
        """Raises Conflict when there is one, and may when there is one that it could be taken
        for."""
        ...

    def switch_group(self, name: str, enabled: bool) -> None:
        """Raises NotFound."""
        ...

    def roles(self, user: str) -> Mapping[str, Role]:
        """By group; empty for nobody."""
        ...

    def members(self, group: str) -> Mapping[str, Role]:
        """By user."""
        ...

    def set_role(self, group: str, user: str, role: Role | None) -> None:
        """None ends the membership. Raises NotFound for an unknown group or user."""
        ...

    def add_token(self, token: Token, digest: str) -> None:
        """``digest`` is the SHA-256 of the secret, in hex. Raises Conflict when the id, the
        digest, or a deploy token's username within its group is taken, and may when a user's name
        could be taken for the username of a group's or deploy token; NotFound when the user or
        the group is not there."""
        ...

    def token(self, digest: str) -> Token | None:
        """Found by its secret, good or not."""
        ...

    def token_by_id(self, token_id: str) -> Token | None: ...

    def tokens(self) -> list[Token]:
        """All, newest first."""
        ...

    def revoke_token(self, token_id: str, at: float) -> None:
        """Raises NotFound; no error when it was revoked before."""
        ...

    def used_tokens(self, uses: Mapping[str, float]) -> None:
        """Remember when tokens, by id, were last used; unknown ones are ignored."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Announces(Protocol):
    """Power of a Directory: tell at once of changes that are made through this very object."""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call it after every change but uses of tokens, before the method that made the change
        returns. It is quick, and does not ask the directory."""
        ...


class Format(Protocol):
    """One package format: pure decisions, no I/O, no clock."""

    @property
    def name(self) -> str:
        """The format's name in configuration and URLs."""
        ...

    def route(self, path: str) -> Route:
        """Parse the path below the registry's URL (decoded, no leading slash) into a Route.

        Raises InvalidRequest with the reason for anything outside the format's grammar, NotFound
        for what is well-formed but never served. ``route(route(p).path)`` is the route of the
        file itself, without ``checksum``.
        """
        ...

    def expect(self, route: Route) -> Expectation:
        """What to ask upstream and what to hold the answer to."""
        ...

    def examine(self, route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
        """Judge an upstream's answer by its headers (lower-case names) and first bytes (up to
        4096, fewer only when the body ends)."""
        ...

    def merge(
        self, route: Route, documents: Sequence[tuple[str, bytes]]
    ) -> tuple[bytes, list[str]]:
        """Build one document from the ``(upstream name, bytes)`` that exist, best position first,
        at least one. Returns it with the names left out because their document is unusable.

        Deterministic, idempotent; one usable document comes back byte for byte, unless it is not
        quite what the format's specification promises clients. Raises IntegrityError when none is
        usable and NotFound when a truthful merge does not exist.
        """
        ...

    def complete(self, route: Route) -> bool:
        """Whether a merge is a lie unless *every* upstream contributed (else absent is fine)."""
        ...

    def headers(self, route: Route, representation: Representation) -> Headers:
        """Headers about the body: media type, checksums. Not length, validators or ranges."""
        ...

    def problem(self, error: VirtregError) -> Problem:
        """The error as this format's clients read it. Never an empty body."""
        ...

    def challenge(self, realm: str) -> str:
        """The ``WWW-Authenticate`` value sent with 401."""
        ...


@runtime_checkable
class Localizes(Protocol):
    """Power of a Format: the upstreams of one registry know a route under different paths."""

    def localize(self, route: Route, upstream: UpstreamSpec) -> Route:
        """The route as this upstream knows it; its path is the key of the upstream's entries.
        Idempotent. Cheap: called for every upstream of every request that is not ready."""
        ...


@runtime_checkable
class Pins(Protocol):
    """Power of a Format: names that move stand for bodies that have paths of their own."""

    def pinned(self, route: Route, digests: Digests) -> Route | None:
        """The route of the very body with these digests (any subset), whose ``digest`` is set;
        None when the route is no moving name or no digest will do."""
        ...


@runtime_checkable
class Gathers(Protocol):
    """Power of a Format: how an upstream's part of a merged document is had."""

    def following(self, route: Route, headers: Mapping[str, str]) -> Query | None:
        """The query of the next page, from the headers (lower-case names) of the page before;
        None when that was the last one. Of what an upstream links to, the query alone counts.
        Raises IntegrityError for a next page that cannot be asked for."""
        ...

    def join(self, route: Route, pages: Sequence[bytes]) -> bytes:
        """One document of an upstream's pages, two at least, in order. Raises IntegrityError."""
        ...

    def elsewhere(self, route: Route) -> Route | None:
        """Where an upstream that does not know the path may keep the same document."""
        ...

    def nothing(self, route: Route) -> bytes | None:
        """The document when no upstream has one; None: then it is absent."""
        ...


@runtime_checkable
class Views(Protocol):
    """Power of a Format: queries ask for parts of a document."""

    def view(
        self, route: Route, url: str, query: Mapping[str, str], document: bytes
    ) -> View | None:
        """The document as the query (first value of each name, decoded) wants it, None when it is
        wanted whole. ``url`` is the path of the request as the client sees it, percent-encoded,
        for links. Raises InvalidRequest naming the parameter."""
        ...


@runtime_checkable
class Lists(Protocol):
    """Power of a Format: routes that list what is cached."""

    def shelf(self, path: str) -> tuple[str | None, str]:
        """What a cached path counts for in the list, None for nothing, and a string after which,
        in order of code points, the next path that may count for something else comes."""
        ...

    def catalog(self, route: Route, names: Sequence[str]) -> bytes:
        """The document, of distinct names in order of code points."""
        ...


@runtime_checkable
class Situates(Protocol):
    """Power of a Format: tell what a path is about, for rules to be applied to it."""

    @property
    def targets(self) -> frozenset[str]:
        """The coordinates there are, which rules may be about."""
        ...

    def coordinates(
        self, route: Route, upstream: UpstreamSpec | None = None
    ) -> tuple[Coordinates, ...]:
        """What the route is about: several when it cannot be told which is meant, none when it is
        nothing that rules speak of. A checksum or a signature is about what its file is about.
        With the power Localizes, ``route`` is as ``upstream`` knows it, and every name by which
        the upstream can be asked for it counts."""
        ...

    def sift(
        self, route: Route, document: bytes, allowed: Callable[[Coordinates], bool]
    ) -> bytes | None:
        """One upstream's part of a merged document without what is not allowed; None when nothing
        is left. Idempotent; what loses nothing comes back byte for byte, and so does what is
        unusable, for ``merge`` to refuse."""
        ...

    def released(self, route: Route) -> bool:
        """Whether the path is a file of one release, which the upstream dates as it publishes
        it."""
        ...


class VirtualRegistry(Protocol):
    """One URL over an ordered list of upstreams."""

    @property
    def spec(self) -> RegistrySpec: ...

    @property
    def format(self) -> Format: ...

    def resolve(self, route: Route) -> Resolution:
        """Answer from the cache or the upstreams. The caller closes ``Resolution.body``.

        Raises NotFound only when every upstream said so, UpstreamError when one that matters is
        broken and nothing is cached, StorageError when the cache cannot answer.
        """
        ...

    def purge(self, path: str) -> int:
        """Forget what is cached and remembered about one path, absence included."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Describes(Protocol):
    """Power of a VirtualRegistry: the facts alone, for HEAD."""

    def describe(self, route: Route) -> Resolution:
        """As ``resolve``, except that no body need be fetched for it: the resolution's body may
        be empty though its representation is not."""
        ...


class Resolution(Protocol):
    """An answer: facts at once, bytes on demand."""

    @property
    def route(self) -> Route: ...

    @property
    def source(self) -> str:
        """Key of the entry's source, for download counts."""
        ...

    @property
    def representation(self) -> Representation: ...

    @property
    def body(self) -> Body: ...

    @property
    def origin(self) -> str:
        """``hit``, ``miss``, ``revalidated``, ``stale`` or ``merged``."""
        ...

    @property
    def expires_at(self) -> float:
        """Until when this very answer may be repeated without resolving again; 0 for never,
        infinity for always."""
        ...

    @property
    def warning(self) -> str:
        """What the reader should be told besides, in one line, such as why the answer is stale;
        empty for nothing."""
        ...


__all__ = [
    "Announces",
    "Authenticator",
    "Body",
    "CacheStore",
    "Catalog",
    "CountsDownloads",
    "CredentialProvider",
    "Describes",
    "Digests",
    "Directory",
    "EntryIndex",
    "Evicts",
    "Format",
    "Gathers",
    "HasFile",
    "Headers",
    "Inventory",
    "KnowsDigests",
    "KnowsReferences",
    "KnowsUse",
    "Lists",
    "ListsByDigest",
    "LocalSource",
    "Localizes",
    "Pins",
    "Policies",
    "Readmits",
    "Recalls",
    "Reclaims",
    "Reply",
    "Resolution",
    "Situates",
    "Spools",
    "Upstream",
    "Views",
    "VirtualRegistry",
]
