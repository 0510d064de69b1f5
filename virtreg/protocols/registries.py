"""What answers a pull."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from virtreg.model import RegistrySpec, Representation, Route
from virtreg.protocols.formats import Format
from virtreg.protocols.stores import Body


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


@runtime_checkable
class Bypasses(Protocol):
    """Power of a VirtualRegistry: do without bodies that are kept."""

    def bypass(self, route: Route) -> Resolution:
        """As ``resolve``, where what that gave could not be read from the store: what the upstreams
        have. A body that would not have been asked for anew must be the very one that is kept.

        Raises StoreUnavailable where that is to be told instead.
        """
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
