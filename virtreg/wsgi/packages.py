"""The URLs of package registries."""

from __future__ import annotations

from collections.abc import Iterable

from virtreg.errors import InvalidRequest, NotFound
from virtreg.wsgi.place import NOWHERE, Place, Served, decoded

_DOCUMENTED = "/api/v4/virtual_registries/packages/"


class Packages:
    """Two shapes: ``/api/v4/virtual_registries/packages/<format>/<id>/<path>``, as GitLab
    documents it, and ``/<format>/<name>/<path>``. Immutable."""

    def __init__(self, registries: Iterable[Served]) -> None:
        self._by_id: dict[tuple[str, str], Served] = {}
        self._by_name: dict[tuple[str, str], Served] = {}
        for served in registries:
            self._by_id[served.format.name, str(served.registry.spec.id)] = served
            self._by_name[served.format.name, served.name] = served

    def place(self, asked: str) -> Place:
        """Raises NotFound and InvalidRequest."""
        documented = asked.startswith(_DOCUMENTED)
        rest = asked[len(_DOCUMENTED) :] if documented else asked[1:]
        format_name, _, rest = rest.partition("/")
        name, _, path = rest.partition("/")
        found = (self._by_id if documented else self._by_name).get((format_name, name))
        if found is None:
            if documented and name and not name.isdecimal():
                raise InvalidRequest("id is invalid: a registry's id is a number")
            raise NotFound(NOWHERE)
        return Place(found, decoded(path), asked)
