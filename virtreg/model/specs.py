"""Registries and upstreams as configured."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Literal

from attrs import evolve, field, frozen

from virtreg.model.rules import Ownership, Rule
from virtreg.model.secrets import Secret


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
