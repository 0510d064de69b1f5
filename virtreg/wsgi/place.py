"""What a URL means: a place in a registry, or a question whether anybody is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

from attrs import evolve, frozen

from virtreg.errors import InvalidRequest
from virtreg.model import Headers, Route
from virtreg.protocols import Bypasses, Describes, Format, Resolution, Views, VirtualRegistry

NOWHERE: Final = "there is no registry at this URL"

Key = str | tuple[str, str, str]
"""What an answer is kept ready under: ``PATH_INFO`` where the path alone decides the registry,
else with the registry's name and the namespace that was asked for."""


@frozen(eq=False)
class Served:
    """A registry, with the optional powers that are looked for once."""

    registry: VirtualRegistry
    name: str
    format: Format
    resolve: Callable[[Route], Resolution]
    describe: Callable[[Route], Resolution]
    """For HEAD: ``resolve`` where the registry knows no better."""
    described: bool
    """Whether ``describe`` may give an empty body."""
    views: Views | None
    """The format where its documents are viewed by query."""

    @classmethod
    def of(cls, registry: VirtualRegistry) -> Self:
        described = isinstance(registry, Describes)
        return cls(
            registry,
            registry.spec.name,
            registry.format,
            registry.resolve,
            registry.describe if isinstance(registry, Describes) else registry.resolve,
            described,
            registry.format if isinstance(registry.format, Views) else None,
        )

    def bypassing(self) -> Served | None:
        """The registry as it does without what is kept; None where it cannot."""
        if not isinstance(self.registry, Bypasses):
            return None
        bypass = self.registry.bypass
        return evolve(self, resolve=bypass, describe=bypass, described=False)


@frozen
class Place:
    """A path in a registry."""

    served: Served
    path: str
    """Decoded, without a leading slash; with U+FFFD for what is not UTF-8."""
    key: Key
    headers: Headers = ()
    """Of every answer at this place, errors included."""
    prefix: str = ""
    """Before ``path``, in the names that clients of images have for it: what stands below
    ``/v2/``, or would without being named otherwise."""

    @property
    def format(self) -> Format:
        return self.served.format


@frozen
class Ping:
    """The root of an API: is it spoken here, and may I? Answered by no path of any registry."""

    format: Format
    asked_of: tuple[Served, ...]
    """The registries whose caller this would be."""
    headers: Headers = ()
    named: bool = False
    """Whether path or namespace name the registry, of which there is one then."""


def decoded(path: str) -> str:
    """A part of ``PATH_INFO``, whose bytes come as Latin-1 (PEP 3333); with U+FFFD for what is not
    UTF-8, so that it can be decided who may hear of it before :func:`check_path` refuses it."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def check_path(asked: str) -> None:
    """Raises InvalidRequest for a ``PATH_INFO`` that is not UTF-8."""
    try:
        asked.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise InvalidRequest("path: is not UTF-8") from None
