"""Which registry a root URL means, by what the request says besides its path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from virtreg.errors import InvalidRequest, NotFound
from virtreg.formats.container.namespaces import namespace as canonical
from virtreg.formats.container.namespaces import namespaces
from virtreg.wsgi.hosts import asked, spellings
from virtreg.wsgi.place import Served
from virtreg.wsgi.query import NAMESPACE, parse_query

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class Naming:
    """The registry that ``ns``, ``OCI-Namespace``, ``Host`` or the configured default means, in
    this order (OCI distribution-spec, Registry Proxying). Immutable.

    A namespace is only ever looked up, never dialled. Where several registries stand for one, one
    that is configured to wins over one whose upstreams merely include it, then the first.
    """

    def __init__(self, registries: Iterable[Served]) -> None:
        several = tuple(registries)
        self._by_namespace: dict[str, Served] = {}
        self._by_host: dict[str, Served] = {}
        for served in several:
            if served.registry.spec.namespaces:
                self._stands_for(served)
            for host in served.registry.spec.hosts:
                for spelling in spellings(host):
                    self._by_host.setdefault(spelling, served)
        for served in several:
            self._stands_for(served)
        defaults = [served for served in several if served.registry.spec.default]
        sole = several if len(several) == 1 else ()
        self.default = next(iter((*defaults, *sole)), None)

    def meant(self, environ: WSGIEnvironment) -> tuple[Served | None, str]:
        """The registry, None where nothing names one, and the namespace that named it, empty where
        something else did.

        Raises NotFound for a namespace that no registry stands for, whatever the default, and
        InvalidRequest for a query that cannot be read.
        """
        namespace = self.namespace(environ)
        if namespace:
            found = self._by_namespace.get(canonical(namespace))
            if found is None:
                raise self.unknown(namespace)
            return found, namespace
        return self.hosted(environ) or self.default, ""

    def namespace(self, environ: WSGIEnvironment) -> str:
        """The one that the request names, empty for none. Raises InvalidRequest."""
        query = environ.get("QUERY_STRING", "")
        asked = parse_query(query).get(NAMESPACE) if query else None
        return (asked or environ.get("HTTP_OCI_NAMESPACE") or "").strip().lower()

    def unknown(self, namespace: str) -> NotFound:
        """What is said of a namespace that no registry stands for."""
        return NotFound(f"{NAMESPACE}: no registry here stands for {namespace[:255]!r}")

    def hosted(self, environ: WSGIEnvironment) -> Served | None:
        """The registry that ``Host`` means; one that is configured as it stands there, with a port
        or without, before others."""
        if not self._by_host:
            return None
        try:
            host, port = asked(environ)
        except InvalidRequest:
            return None
        spelled = (f"{host}:{port}", host) if port else (host, f"{host}:")
        return self._by_host.get(spelled[0]) or self._by_host.get(spelled[1])

    def _stands_for(self, served: Served) -> None:
        for namespace in namespaces(served.registry.spec):
            self._by_namespace.setdefault(namespace, served)
