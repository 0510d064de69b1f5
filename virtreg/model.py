"""The values that travel: frozen, parsed once at the edge, safe to share between threads.

Units: sizes in bytes, times as seconds since the epoch (float), durations in seconds unless the
name says hours. Digests are lower-case hex without an algorithm prefix unless stated.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from attrs import evolve, field, frozen

Headers = tuple[tuple[str, str], ...]
"""Response headers in order; names in their canonical spelling."""

Query = tuple[tuple[str, str], ...]
"""The pairs of a URL's query in order, decoded."""


class Algorithm(enum.StrEnum):
    """A digest algorithm; the value is its name in :mod:`hashlib` and in file suffixes."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"
    SHA512 = "sha512"

    @property
    def hex_length(self) -> int:
        return _HEX_LENGTHS[self]


_HEX_LENGTHS = {
    Algorithm.SHA256: 64,
    Algorithm.SHA1: 40,
    Algorithm.MD5: 32,
    Algorithm.SHA512: 128,
}

Digests = Mapping[Algorithm, str]
"""Known digests of one body; any subset of the algorithms."""


class Freshness(enum.Enum):
    """Which validity setting decides how long a cached path is served without asking again."""

    IMMUTABLE = "immutable"
    """Never asked for again: the path can only ever mean these bytes."""
    ARTIFACT = "artifact"
    """``cache_validity_hours``; 0 turns checks off."""
    METADATA = "metadata"
    """``metadata_cache_validity_hours``; for documents that are meant to change."""
    LISTING = "listing"
    """As METADATA, but five minutes at most; for documents that say what there is."""


@frozen
class Route:
    """What one request asks of a registry, decided by ``Format.route`` from the path alone."""

    path: str
    """Canonical path without a leading slash: the cache key, and what an upstream is asked."""
    freshness: Freshness = Freshness.ARTIFACT
    merged: bool = False
    """The document is built from every upstream's own document at this path."""
    checksum: Algorithm | None = None
    """When set, the answer is this digest of the body at ``path``, as hex text."""
    digest: tuple[Algorithm, str] | None = None
    """The digest the body must have, when the path itself fixes it."""
    moving: bool = False
    """The path is a name that moves from body to body, such as a tag; the format's power Pins
    tells the path that a body has for itself."""
    listing: bool = False
    """Answered from what the cache holds, by the format's power Lists; no upstream is asked."""


@frozen
class Expectation:
    """What a format wants of the upstream exchange for one route."""

    accept: str = "*/*"
    """The ``Accept`` header sent upstream, whatever the client sent."""
    max_bytes: int | None = None
    """A larger body is refused as corrupt."""
    sidecars: tuple[tuple[Algorithm, str], ...] = ()
    """Paths beside the body whose text claims a digest, strongest wish first. The first that
    exists is compared; none existing is no claim."""
    prefix: str = ""
    """Put before every path an upstream is asked for, such as ``v2/``; never part of a key."""
    query: Query = ()
    """Asked with the path."""
    scope: str | None = None
    """What a token must allow, such as ``repository:<name>:pull``. With it, the upstream's
    credentials are not sent at once but as its challenge asks."""
    metered: bool = False
    """A GET counts against the quota that the upstream tells in ``ratelimit-*`` headers."""
    head_alone: bool = False
    """A HEAD of what is not cached is answered from the upstream's own HEAD: fetching such a body
    for its headers would be a waste."""
    digests: frozenset[Algorithm] = frozenset(Algorithm)
    """Digests that the body is kept with, besides SHA-256 and those that are claimed. All of them
    together cost several times what a download does."""


@frozen
class Examination:
    """A format's verdict on an upstream's answer, from its headers and first bytes."""

    claims: Digests = field(factory=dict)
    """Digests the upstream claims in headers, to be proved before the body is published."""
    refusal: str | None = None
    """Why this cannot be the file asked for (an HTML page for a POM), or None."""
    content_type: str | None = None
    """What the body is where the upstream's own header does not say; None keeps the header."""


AnswerOutcome = Literal[
    "found", "absent", "denied", "refused", "throttled", "timeout", "unavailable", "corrupt"
]
"""``denied``: not asked, since a rule of this registry keeps it from answering."""


@frozen
class Answered:
    """What one upstream said during a walk, for error bodies and logs."""

    upstream: str
    outcome: AnswerOutcome
    detail: str = ""
    """One line for a person, such as ``404 Not Found`` or ``no first byte in 10 s``."""


@frozen
class Validators:
    """An upstream's own validators for a body, as it sent them."""

    etag: str | None = None
    last_modified: str | None = None


@frozen
class Fetch:
    """One request to an upstream."""

    path: str
    """Below the upstream's URL, decoded."""
    method: Literal["GET", "HEAD"] = "GET"
    accept: str = "*/*"
    known: Validators | None = None
    """Sent as ``If-None-Match`` / ``If-Modified-Since``; the answer may then be 304."""
    offset: int = 0
    """Resume: sent as ``Range: bytes=<offset>-``; the answer may then be 206."""
    stop: int | None = None
    """With it, the bytes ``offset <= i < stop`` alone are asked for."""
    if_range: str | None = None
    """The strong validator that makes a resume safe (RFC 9110, 13.1.5)."""
    headers: Headers = ()
    """Further request headers of the format. Never credentials."""
    query: Query = ()
    scope: str | None = None
    """As in :class:`Expectation`."""
    metered: bool = False
    """As in :class:`Expectation`."""
    bulk: bool = False
    """The body may be long: it leaves some of the upstream's connections to what is not."""


@frozen
class Entry:
    """One cached path of one source: bookkeeping only, the bytes are in the store.

    ``source`` is an upstream's key, or a registry's key for documents merged there.
    """

    source: str
    path: str
    sha256: str
    """Also the blob's key in the store."""
    size: int
    sha1: str
    """Empty when it is not known; so are the next two."""
    md5: str
    sha512: str
    content_type: str | None
    """As the upstream sent it; never served unchecked."""
    etag: str | None
    last_modified: str | None
    created_at: float
    checked_at: float
    """When an upstream last vouched for this path."""
    parts: str = ""
    """For merged documents: fingerprint of the members they were built from."""

    @property
    def digests(self) -> Digests:
        """Those that are known."""
        known = {
            Algorithm.SHA256: self.sha256,
            Algorithm.SHA1: self.sha1,
            Algorithm.MD5: self.md5,
            Algorithm.SHA512: self.sha512,
        }
        return {algorithm: digest for algorithm, digest in known.items() if digest}

    @property
    def validators(self) -> Validators:
        return Validators(self.etag, self.last_modified)


@frozen
class Representation:
    """The facts about a body that response headers are made of."""

    size: int | None
    """None while a download of unknown length is still running."""
    digests: Digests = field(factory=dict)
    """Proved digests, or an upstream's claims that will be proved before the last byte leaves."""
    content_type: str | None = None
    """What the upstream called it; a format decides what is said."""
    last_modified: str | None = None
    """An HTTP date (RFC 9110, 5.6.7), the upstream's own where it sent one."""


class Secret:
    """A credential that does not print. ``reveal()`` is the only way to the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> Any:
        raise TypeError("secrets are not pickled")


@frozen
class Login:
    """A user name and a password that may end."""

    username: str
    password: Secret
    """With the user name ``<token>``: an identity token, which is exchanged at the token service
    (OAuth 2.0, RFC 6749, 6) and never sent as a password."""
    expires_at: float | None = None
    """None: good until it is refused."""


Coordinates = Mapping[str, str]
"""What a path is about, as its format tells it: ``group_id``, ``artifact_id`` and ``version`` of a
Maven file, ``image`` and ``tag`` of an image. What a path does not tell is missing."""


@frozen
class Rule:
    """Whether an upstream may answer for what has certain coordinates.

    Any matching ``deny`` denies. Where there are ``allow`` rules for a coordinate that a path has,
    one of them must match. Matching ignores case.
    """

    rule_type: Literal["allow", "deny"]
    target_coordinate: str
    pattern: str
    pattern_type: Literal["wildcard", "regex"] = "wildcard"
    """``wildcard``: the whole coordinate, ``*`` standing for any text. ``regex``: RE2, found
    anywhere in the coordinate."""
    id: int | None = field(default=None, metadata={"configured": False})
    """Of a rule that is stored."""


@frozen
class Ownership:
    """What a registry takes from certain of its upstreams alone: where the pattern matches, as in
    a Rule, the others are denied."""

    target_coordinate: str
    pattern: str
    upstreams: tuple[str, ...]
    """Names."""
    pattern_type: Literal["wildcard", "regex"] = "wildcard"


@frozen
class Quota:
    """What an upstream says of the requests it still takes."""

    limit: int | None
    """Requests a window allows."""
    remaining: int | None
    window: float | None
    """Seconds."""


@frozen
class UpstreamSpec:
    """One upstream as configured. Names are unique within a catalog, and so are ids."""

    name: str
    url: str = ""
    """Base URL, http or https, without user information, query or fragment. Empty for a local
    upstream."""
    username: str | None = None
    password: Secret | None = None
    """With ``username``: HTTP Basic."""
    bearer: Secret | None = None
    """``Authorization: Bearer``."""
    headers: tuple[tuple[str, Secret], ...] = ()
    """Further credential headers, such as ``Private-Token``."""
    credential_command: tuple[str, ...] = ()
    """A program and its arguments that prints a login, for passwords that end after some hours;
    instead of ``username`` and ``password``."""
    login_provided: bool = field(default=False, metadata={"configured": False})
    """The login comes from the host program; no key of configuration files."""
    token_realms: tuple[str, ...] = ()
    """Hosts, besides the upstream's own and those of its registrable domain, whose token service
    is given the credentials."""
    default_namespace: str | None = None
    """Put before a name that has no namespace, as ``library`` is at Docker Hub, where it need not
    be set."""
    cache_validity_hours: float = 24
    metadata_cache_validity_hours: float = 24
    negative_validity_seconds: float = 300
    """How long an upstream's 404 or 410 is believed; 0 never remembers one."""
    on_error: Literal["stop", "continue"] = "stop"
    """Whether the walk may pass this upstream while it is broken."""
    on_refused: Literal["error", "absent"] | None = None
    """How 401 and 403 are read; some public mirrors say 403 for what they do not have. None: as
    an error, except that an upstream without credentials that gave an anonymous token and refuses
    all the same does not have it for the public."""
    on_missing: Literal["keep", "drop"] = "keep"
    """What happens to a cached copy when the upstream no longer has the path."""
    connect_timeout: float = 5
    read_timeout: float = 30
    """Longest silence: until the first byte, and between two reads."""
    total_timeout: float = 3600
    """Longest whole exchange, body included."""
    max_connections: int = 16
    proxy: str | None = field(default=None, repr=False)
    """URL of an HTTP proxy for this upstream. Not shown: it may carry the proxy's password."""
    allow_private: tuple[str, ...] = ()
    """CIDR ranges outside the public internet that this upstream may reach."""
    ca_file: str | None = None
    """PEM bundle to trust instead of the system's."""
    shared: bool = False
    """Registries of several groups may list it, and so tell each group, by what is quick or listed,
    what the others have pulled."""
    rules: tuple[Rule, ...] = ()
    """What it may answer for; asked before its cache and before the network."""
    registry: str | None = None
    """Instead of ``url``: the name of another registry of this server, of the same format."""
    folder: str | None = None
    """Instead of ``url``: a folder of this machine, laid out as the format's URLs are."""
    minimum_release_age_hours: float = 0
    """Releases that the upstream dates later than that are as if they were not there; so are those
    without a date. 0: every release is taken."""
    id: int | None = field(default=None, metadata={"configured": False})
    """Of an upstream that is stored: its cache is kept by it, whatever its name."""
    generation: int = field(default=0, metadata={"configured": False})
    """Grows when its cache is purged: what was kept before is of another key."""
    unusable: str = field(default="", metadata={"configured": False})
    """Why it cannot be asked, though nobody changed it; what is cached of it stays."""

    @cached_property
    def local(self) -> bool:
        """Whether it is on this server: asked each time, and nothing of it is kept again."""
        return self.registry is not None or self.folder is not None

    @cached_property
    def anonymous(self) -> bool:
        """Whether nothing proves who asks."""
        return not (
            self.username
            or self.bearer
            or self.headers
            or self.credential_command
            or self.login_provided
        )

    @cached_property
    def key(self) -> str:
        """The cache's name for this upstream: changes when it could mean other bytes or reach. So
        it does with the user, and with the kind of other credentials, but not with a secret, which
        is renewed for the same user."""
        kinds = [name.lower() for name, _ in self.headers]
        kinds += ["bearer"] if self.bearer else []
        kinds += ["command"] if self.credential_command else []
        name = self.name if self.id is None else f"#{self.id}"
        facts = "\0".join((name, self.url, self.username or "", *sorted(kinds)))
        if self.local:
            facts += f"\0registry {self.registry!r}\0folder {self.folder!r}"
        if self.generation:
            facts += f"\0generation {self.generation}"
        return hashlib.sha256(facts.encode()).hexdigest()[:20]


@frozen
class RegistrySpec:
    """One virtual registry as configured: an ordered list of upstreams behind one URL."""

    id: int
    name: str
    format: str
    upstreams: tuple[UpstreamSpec, ...]
    """Best position first."""
    order: Literal["cached", "strict"] = "cached"
    """``cached``: a path cached in any upstream is answered from there. ``strict``: an uncached
    better position is asked first."""
    description: str = ""
    namespaces: tuple[str, ...] = ()
    """Registry hosts that clients name in ``ns`` and mean this registry; empty: the hosts of its
    upstreams."""
    hosts: tuple[str, ...] = ()
    """Host names of the server itself under which root URLs belong to this registry."""
    default: bool = False
    """Answers root URLs that name no registry in any way."""
    group: str = "default"
    """Who owns it: whose members may pull where access is restricted."""
    public: bool = False
    """Strangers may pull from it even so."""
    ownerships: tuple[Ownership, ...] = ()
    """What comes from certain of its upstreams alone."""
    generation: int = field(default=0, metadata={"configured": False})
    """As an upstream's, for the documents merged here."""

    @cached_property
    def key(self) -> str:
        """The cache's name for documents merged here: changes with the members, their order, and
        what they may answer for."""
        facts = "\0".join((self.name, *(upstream.key for upstream in self.upstreams)))
        rules = [[evolve(rule, id=None) for rule in each.rules] for each in self.upstreams]
        if any(rules) or self.ownerships:
            facts += f"\0{rules!r}\0{self.ownerships!r}"
        if self.generation:
            facts += f"\0generation {self.generation}"
        return hashlib.sha256(facts.encode()).hexdigest()[:20]


Action = Literal["pull", "read", "configure", "clean_up", "switch"]
"""``pull`` files; ``read`` and ``configure`` registries, upstreams and their cache; ``clean_up``:
policies; ``switch`` a group's registries on and off."""


@frozen
class Scope:
    """What a caller wants to do."""

    registry: str
    path: str
    """As the caller spells it. One file may have several spellings, such as an image with and
    without its upstream's default namespace, and a list such as ``_catalog`` names what lies under
    other paths: a rule by path says what is allowed, never what is not."""
    action: Action = "pull"
    repository: str = ""
    """The part of the registry that a grant may be given for, such as one image; empty: all."""
    group: str = ""
    """Whose registry it is."""
    public: bool = False
    """Whether strangers may pull from it."""


@frozen
class Credentials:
    """What a caller presented. ``environ`` is the WSGI environment, for hosts that keep a session
    or a trusted header there; empty outside WSGI."""

    authorization: str | None = field(default=None, repr=False)
    environ: Mapping[str, Any] = field(factory=dict, repr=False)


@frozen
class Principal:
    """Who a caller turned out to be; ``anonymous`` when nobody asked."""

    name: str = "anonymous"
    token_id: str | None = None
    """Of the token that was presented, if one was: for logs, limits and revocation."""


@frozen
class View:
    """A document as one query wants it."""

    body: bytes
    headers: Headers = ()
    """Besides those of the whole document."""


@frozen
class Problem:
    """An error as one format's clients want to read it."""

    status: int
    headers: Headers
    body: bytes
