"""The URLs of registries of container images (OCI distribution-spec, Endpoints)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from virtreg.errors import InvalidRequest, NotFound
from virtreg.model import Headers
from virtreg.protocols import Format
from virtreg.wsgi.naming import Naming
from virtreg.wsgi.place import NOWHERE, Key, Ping, Place, Served, decoded

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

FORMAT = "container"
"""Name of the format whose registries have these URLs."""

DOCUMENTED = "virtual_registries/container/"
"""Below ``/v2/``, before a registry's id, as GitLab documents it."""

_ROOT = "/v2/"
_UNNAMED = (
    "no registry is named: neither by the path, nor by ns, nor by the host, and there is no default"
)


class Distribution:
    """Four shapes, the first that fits:

    - ``/v2/virtual_registries/container/<id>/<path>``; the prefix is ``documented``;
    - ``/v2/<registry>/<path>``;
    - ``/<registry>/v2/<path>``;
    - ``/v2/<path>``, of the registry that the request names otherwise, see :class:`Naming`.

    Where the path is empty it is a ping. A registry hides images of the root shape whose name
    begins with its own, and one that is called ``v2`` or ``api`` may hide more. Immutable.
    """

    def __init__(self, registries: Iterable[Served], documented: str = DOCUMENTED) -> None:
        self._registries = tuple(registries)
        self._documented = documented.strip("/") + "/"
        self._by_id = {str(served.registry.spec.id): served for served in self._registries}
        self._by_name = {served.name: served for served in self._registries}
        private = (one for one in self._registries if not one.registry.spec.public)
        self._private = next(private, None)
        """The first that strangers may not pull from."""
        self._naming = Naming(self._registries)

    def format(self, asked: str) -> Format | None:
        """Who speaks at a URL of these shapes, whether its registry is there or not; None: it is of
        another shape."""
        shaped = _rooted(asked) or _halves(asked) is not None
        return self._registries[0].format if self._registries and shaped else None

    def answers(self, asked: str) -> bool:
        """Whether a URL is for :meth:`place`: one of the third shape only if its registry is
        there, since a registry of packages may have such a URL too."""
        return bool(self._registries) and (_rooted(asked) or self._before(asked) is not None)

    def key(self, asked: str, environ: WSGIEnvironment) -> Key:
        """The key of :meth:`place`, or of nothing where there is no place."""
        if not self._registries or not asked.startswith(_ROOT):
            return asked
        try:
            if self._inside(asked) is not None:
                return asked
            served, namespace = self._naming.meant(environ)
        except (InvalidRequest, NotFound):
            return asked
        return asked if served is None else (served.name, namespace, asked)

    def place(self, asked: str, environ: WSGIEnvironment) -> Place | Ping:
        """Of a URL that is answered here. Raises NotFound and InvalidRequest."""
        if not asked.startswith(_ROOT):
            if asked == _ROOT[:-1]:
                return self._root(asked, "", environ)
            found = self._before(asked)
        else:
            found = self._inside(asked)
        if found is None:
            return self._root(asked, asked[len(_ROOT) :], environ)
        served, path = found
        if not path:
            return Ping(served.format, (served,), named=True)
        inside = asked.startswith(_ROOT)
        prefix = asked[len(_ROOT) : -len(path)] if inside else f"{served.name}/"
        return Place(served, decoded(path), asked, prefix=prefix)

    def absence(self, asked: str, environ: WSGIEnvironment) -> NotFound:
        """What is said at a URL below ``/v2/`` whose registry is not there. Raises
        InvalidRequest."""
        if asked[len(_ROOT) :].startswith(self._documented):
            return NotFound(NOWHERE)
        namespace = self._naming.namespace(environ)
        if namespace:
            return self._naming.unknown(namespace)
        return NotFound(_UNNAMED if self._naming.default is None else NOWHERE)

    def stand_in(self, asked: str, environ: WSGIEnvironment) -> Place | Ping | None:
        """The like of a URL whose registry is not there, in a registry that strangers may not pull
        from; None where there is none, and where the URL names none by name or id. Nor does it by
        name where a namespace is asked for: clients take 404 for the word to go on to the registry
        itself, and no other."""
        if self._private is None:
            return None
        if not _rooted(asked):
            halves = _halves(asked)
            return None if halves is None else self._like(halves[0] + "/", halves[1], asked)
        rest = asked[len(_ROOT) :]
        documented = rest.startswith(self._documented)
        before = self._documented if documented else ""
        name, _, path = rest[len(before) :].partition("/")
        if not name or (documented and not name.isdecimal()):
            return None
        if not documented and self._asks_for_namespace(environ):
            return None
        return self._like(f"{before}{name}/", path, asked)

    def by_host(self, environ: WSGIEnvironment) -> bool:
        """Whether ``Host`` names a registry."""
        return self._naming.hosted(environ) is not None

    def _inside(self, asked: str) -> tuple[Served, str] | None:
        """The registry that a path below ``/v2/`` begins with, and the rest. Raises NotFound and
        InvalidRequest for an id that is none."""
        rest = asked[len(_ROOT) :]
        if rest.startswith(self._documented):
            return self._numbered(rest[len(self._documented) :])
        name, _, path = rest.partition("/")
        served = self._by_name.get(name)
        return None if served is None else (served, path)

    def _numbered(self, rest: str) -> tuple[Served, str]:
        number, _, path = rest.partition("/")
        served = self._by_id.get(number)
        if served is not None:
            return served, path
        if number and not number.isdecimal():
            raise InvalidRequest("id is invalid: a registry's id is a number")
        raise NotFound(NOWHERE)

    def _before(self, asked: str) -> tuple[Served, str] | None:
        halves = _halves(asked)
        served = None if halves is None else self._by_name.get(halves[0])
        return None if halves is None or served is None else (served, halves[1])

    def _like(self, prefix: str, path: str, asked: str) -> Place | Ping:
        assert self._private is not None
        if not path:
            return Ping(self._private.format, (self._private,), named=True)
        return Place(self._private, decoded(path), asked, prefix=prefix)

    def _asks_for_namespace(self, environ: WSGIEnvironment) -> bool:
        try:
            return bool(self._naming.namespace(environ))
        except InvalidRequest:
            return False

    def _root(self, asked: str, path: str, environ: WSGIEnvironment) -> Place | Ping:
        served, namespace = self._naming.meant(environ)
        headers: Headers = (("OCI-Namespace", namespace),) if namespace else ()
        if not path:
            # Nothing says whose caller this will be, and a default does not either: one that must
            # sign in anywhere must learn it here, because some clients ask but once.
            named = namespace or self._naming.hosted(environ)
            asked_of = (served,) if served and named else self._registries
            return Ping(asked_of[0].format, asked_of, headers, named=bool(namespace))
        if served is None:
            raise NotFound(_UNNAMED)
        # Where tokens are asked for, no namespace is told.
        prefix = f"{served.name}/" if namespace else ""
        return Place(served, decoded(path), (served.name, namespace, asked), headers, prefix)


def _rooted(asked: str) -> bool:
    return asked.startswith(_ROOT) or asked == _ROOT[:-1]


def _halves(asked: str) -> tuple[str, str] | None:
    """Name and path of a URL of the third shape."""
    name, _, rest = asked[1:].partition("/")
    version, _, path = rest.partition("/")
    return (name, path) if name and version == "v2" else None
