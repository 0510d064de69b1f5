"""The URLs of package registries."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from virtreg.errors import InvalidRequest, NotFound
from virtreg.wsgi.place import NOWHERE, Place, Served, decoded

_DOCUMENTED = "/api/v4/virtual_registries/packages/"


class Packages:
    """Two shapes: ``/api/v4/virtual_registries/packages/<format>/<id>/<path>``, as GitLab
    documents it, and ``/<format>/<name>/<path>``. Immutable."""

    def __init__(self, registries: Iterable[Served]) -> None:
        self._by_id: dict[tuple[str, str], Served] = {}
        self._by_name: dict[tuple[str, str], Served] = {}
        self._private: dict[str, Served] = {}
        """The first of each format that strangers may not pull from."""
        for served in registries:
            self._by_id[served.format.name, str(served.registry.spec.id)] = served
            self._by_name[served.format.name, served.name] = served
            if not served.registry.spec.public:
                self._private.setdefault(served.format.name, served)
        self._formats = frozenset(name for name, _ in self._by_name)

    def place(self, asked: str) -> Place:
        """Raises NotFound and InvalidRequest."""
        split = _Split.of(asked)
        found = (self._by_id if split.documented else self._by_name).get((split.format, split.name))
        if found is None:
            if split.documented and split.name and not split.name.isdecimal():
                raise InvalidRequest("id is invalid: a registry's id is a number")
            raise NotFound(NOWHERE)
        return Place(found, decoded(split.path), asked)

    def begins(self, asked: str) -> bool:
        """Whether the URL begins with the name of a format, as the shorter ones do."""
        return asked[1:].partition("/")[0] in self._formats

    def stand_in(self, asked: str) -> Place | None:
        """The like of a URL whose registry is not there, in a registry that strangers may not pull
        from; None where the format has none, and where the URL names none."""
        split = _Split.of(asked)
        private = self._private.get(split.format)
        if private is None or not split.name or (split.documented and not split.name.isdecimal()):
            return None
        return Place(private, decoded(split.path), asked)


@frozen
class _Split:
    """A URL of either shape, as far as it goes."""

    format: str
    name: str
    """Or the id."""
    path: str
    documented: bool

    @classmethod
    def of(cls, asked: str) -> _Split:
        documented = asked.startswith(_DOCUMENTED)
        rest = asked[len(_DOCUMENTED) :] if documented else asked[1:]
        format_name, _, rest = rest.partition("/")
        name, _, path = rest.partition("/")
        return cls(format_name, name, path, documented)
