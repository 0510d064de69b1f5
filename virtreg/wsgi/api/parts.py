"""What the endpoints work on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import field, frozen

from virtreg.backends.catalog import SqlCatalog
from virtreg.backends.index import SqlIndex
from virtreg.core.egress import EgressPolicy
from virtreg.core.identity import Group
from virtreg.errors import Invalid
from virtreg.events import AuditEvent, CatalogChanged, CatalogSubject
from virtreg.managed import ManagedRegistry, ManagedUpstream
from virtreg.model import Principal, UpstreamSpec
from virtreg.protocols import CacheStore, Directory, Upstream
from virtreg.service.cleaning import Cleaner
from virtreg.service.health import GuardedUpstream
from virtreg.service.prefetching import Prefetching
from virtreg.service.registry import PullThroughRegistry
from virtreg.wsgi.api.endpoint import Call
from virtreg.wsgi.api.flavour import Flavour

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


@frozen(eq=False)
class Parts:
    """Of one process, for all its threads."""

    catalog: SqlCatalog
    directory: Directory
    index: SqlIndex
    store: CacheStore
    registry: Callable[[int], PullThroughRegistry | None]
    """The one that answers pulls now, by its number."""
    open_upstream: Callable[[UpstreamSpec], Upstream]
    """One on its own, for trying it out; whoever asks for it closes it."""
    cleaner: Cleaner
    notify: Callable[[AuditEvent], None]
    clock: Callable[[], float]
    url: Callable[[WSGIEnvironment], str]
    """Where clients reach the application, without a slash at the end."""
    egress: EgressPolicy = field(factory=EgressPolicy)
    """Where upstreams that are made here may be."""
    upstream: Callable[[UpstreamSpec], GuardedUpstream | None] = lambda _: None
    """The one that is asked now for the sake of registries."""
    prefetching: Prefetching = field(factory=Prefetching)
    """Whoever made it closes it."""
    operator: Principal | None = None
    """Who runs the program itself, and sees all; None where that is nobody who asks."""
    served: Callable[[str], tuple[int, int]] = lambda _: (0, 0)
    """Downloads of a source's files since the process began, from the cache and from the source
    itself."""

    def group(self, call: Call) -> Group | None:
        """The group of the path; None where there is none. Raises Invalid for what can be a
        subgroup alone."""
        asked = call.path["group"]
        if "/" in asked:
            raise Invalid({"group": ["must be a top level Group"]})
        return self.group_named(asked)

    def group_named(self, asked: str) -> Group | None:
        """A group by its number or by its name. A name of digits alone is always a number."""
        if not (asked.isascii() and asked.isdecimal()):
            return self.directory.group(asked)
        return next((each for each in self.directory.groups() if str(each.id) == asked), None)

    def registry_of(self, call: Call, flavour: Flavour, name: str = "id") -> ManagedRegistry | None:
        """The registry whose number the path has."""
        return flavour.own_registry(self.catalog.registry(call.id(name)))

    def registry_named(self, name: str) -> ManagedRegistry | None:
        """The registry with this name in URLs."""
        found = (each.id for each in self.catalog.registries() if each.name == name)
        number = next(found, None)
        return None if number is None else self.catalog.registry(number)

    def upstream_of(self, call: Call, flavour: Flavour, name: str = "id") -> ManagedUpstream | None:
        """The upstream whose number the path has."""
        return flavour.own_upstream(self.catalog.upstream(call.id(name)))

    def tell(
        self,
        call: Call,
        who: Principal,
        subject: CatalogSubject,
        target: int | str,
        change: str,
        registry: str = "",
    ) -> None:
        """An audit event, after the change."""
        self.notify(
            CatalogChanged(
                registry=registry,
                actor=who.name,
                token_id=who.token_id,
                address=str(call.environ.get("REMOTE_ADDR", "")),
                subject=subject,
                target=str(target),
                change=change,
            )
        )
