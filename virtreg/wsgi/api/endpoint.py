"""What the API offers, one call at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from attrs import field, frozen

from virtreg.core.identity import Group
from virtreg.errors import NotFound
from virtreg.managed import ManagedRegistry, ManagedUpstream
from virtreg.model import Action, Headers, Principal

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Parameters = TypeVar("Parameters", bound=msgspec.Struct)
Thing = TypeVar("Thing", Group, ManagedRegistry, ManagedUpstream)


@frozen(eq=False)
class Call:
    """One request, parsed. Used by one thread."""

    environ: WSGIEnvironment
    path: Mapping[str, str]
    """What stands in the place of the braces, decoded."""
    query: msgspec.Struct | None
    body: msgspec.Struct | None
    admit: Callable[[Action, str], Principal]
    """Who asks, if they may do this in a group, given by its name. Raises Unauthenticated,
    NotFound, Forbidden."""
    unmodified_since: float | None = None
    """Of ``If-Unmodified-Since``, for calls that heed it."""

    def id(self, name: str = "id") -> int:
        """A number of the path, which has been checked to be one."""
        return int(self.path[name])

    def sent(self, kind: type[Parameters]) -> Parameters:
        """The body."""
        assert isinstance(self.body, kind)
        return self.body

    def asked(self, kind: type[Parameters]) -> Parameters:
        """The query."""
        assert isinstance(self.query, kind)
        return self.query

    def allow(self, action: Action, thing: Thing | None) -> tuple[Thing, Principal]:
        """The thing, and who asks, if they may do this to it. None is what is not there.

        Raises what admitting does. Whoever is known is told that there is nothing where there is
        nothing, others are not.
        """
        if thing is None:
            # The same action, so that a refusal does not tell apart what is there and what is not.
            self.admit(action, "")
            raise NotFound("there is no such thing")
        return thing, self.admit(action, group_of(thing))


def group_of(thing: Group | ManagedRegistry | ManagedUpstream) -> str:
    """The name of the group whose members may do something with it."""
    match thing:
        case Group():
            return thing.name
        case ManagedRegistry():
            return thing.spec.group
        case ManagedUpstream():
            return thing.group


@frozen
class Answer:
    """What a call comes to."""

    content: Any = None
    """What :func:`msgspec.json.encode` takes; None: no body."""
    status: int = 200
    headers: Headers = ()


NOTHING = Answer(status=204)


@frozen
class Endpoint:
    """One call: how it is asked, and what answers it."""

    method: str
    path: str
    """Below ``/api/v4``, with names in braces: ``{id}`` and what ends so are numbers, ``{group}``
    the number or the name of a group, ``{rest}`` all that follows."""
    summary: str
    """One line for the documentation."""
    run: Callable[[Call], Answer]
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    needs_any: bool = False
    """Whether at least one field of the body must be there."""
    gives: Any = None
    """The type of the answer's content."""
    status: int = 200
    """Of the answer when all is well."""
    instead: Any = None
    """The type of the content of a 200, where ``status`` is another and both may come."""
    action: Action | None = "read"
    """What must be allowed; None: the call is for everybody. For the documentation: ``run`` it is
    that asks."""
    refuses: tuple[int, ...] = ()
    """Statuses of errors, besides those that any call of its kind may come to."""
    heeds_unmodified: bool = False
    """Whether ``If-Unmodified-Since`` is heeded."""
    paged: bool = False
    """Whether the answer tells of pages in its headers."""
    documented: bool = True
    """False: not GitLab's, but ours."""
    pattern: re.Pattern[str] = field(init=False, repr=False, eq=False)

    @pattern.default
    def _pattern(self) -> re.Pattern[str]:
        escaped = re.escape(self.path).replace(r"\{", "{").replace(r"\}", "}")
        return re.compile(re.sub(r"\{(\w+)\}", _place, escaped))


def _place(match: re.Match[str]) -> str:
    name = match[1]
    # Not [0-9]+ for ids: what is no number is told so, rather than that there is no such URL.
    kind = "(?s:.+?)" if name in ("group", "rest") else "[^/]+"
    return f"(?P<{name}>{kind})"
