"""Which registry a URL belongs to, and which path in it."""

from __future__ import annotations

from collections.abc import Iterable

from virtreg.errors import InvalidRequest, NotFound
from virtreg.protocols import VirtualRegistry

_DOCUMENTED = "/api/v4/virtual_registries/packages/"


class Surfaces:
    """The registries by URL. Immutable; replaced whole when the configuration changes.

    Two shapes: ``/api/v4/virtual_registries/packages/<format>/<id>/<path>``, as GitLab documents
    it, and ``/<format>/<name>/<path>``.
    """

    def __init__(self, registries: Iterable[VirtualRegistry]) -> None:
        self._by_id: dict[tuple[str, str], VirtualRegistry] = {}
        self._by_name: dict[tuple[str, str], VirtualRegistry] = {}
        for registry in registries:
            self._by_id[registry.format.name, str(registry.spec.id)] = registry
            self._by_name[registry.format.name, registry.spec.name] = registry

    def registry(self, path_info: str) -> tuple[VirtualRegistry, str]:
        """The registry and the path in it, decoded. ``path_info`` is WSGI's: percent-decoded,
        bytes as Latin-1 (PEP 3333). Raises NotFound and InvalidRequest."""
        documented = path_info.startswith(_DOCUMENTED)
        rest = path_info[len(_DOCUMENTED) :] if documented else path_info[1:]
        format_name, _, rest = rest.partition("/")
        name, _, path = rest.partition("/")
        found = (self._by_id if documented else self._by_name).get((format_name, name))
        if found is None:
            if documented and name and not name.isdecimal():
                raise InvalidRequest("id is invalid: a registry's id is a number")
            raise NotFound("there is no registry at this URL")
        try:
            return found, path.encode("latin-1").decode("utf-8")
        except UnicodeError:
            raise InvalidRequest("path: is not UTF-8") from None


def refuse_hidden_slash(raw_uri: str) -> None:
    """Refuse a path whose separators are escaped: what is one segment here may be two elsewhere.

    Only servers that hand the raw target on can tell; where one does not, the decoded path is
    checked like any other. Raises InvalidRequest.
    """
    path = raw_uri.partition("?")[0].lower()
    if "%2f" in path or "%5c" in path:
        raise InvalidRequest("path: contains an encoded slash")
