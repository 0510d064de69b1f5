"""Which registry a URL belongs to, and which path in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from virtreg.errors import InvalidRequest, NotFound, VirtregError
from virtreg.protocols import Format, VirtualRegistry
from virtreg.wsgi.distribution import DOCUMENTED, FORMAT, Distribution
from virtreg.wsgi.packages import Packages
from virtreg.wsgi.place import NOWHERE, Key, Ping, Place, Served

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class Surfaces:
    """The registries by URL: those of container images by the shapes of :class:`Distribution`,
    others by those of :class:`Packages`. Immutable; replaced whole when the configuration changes.

    ``asked`` is WSGI's ``PATH_INFO``: percent-decoded, bytes as Latin-1 (PEP 3333).
    """

    def __init__(
        self, registries: Iterable[VirtualRegistry], documented_images: str = DOCUMENTED
    ) -> None:
        served = [Served.of(registry) for registry in registries]
        self._packages = Packages(one for one in served if one.format.name != FORMAT)
        self.images = tuple(one for one in served if one.format.name == FORMAT)
        self._distribution = Distribution(self.images, documented_images)

    def format(self, asked: str) -> Format | None:
        """Who speaks at this URL where no place is found. Its shape decides, and not what is there:
        who may not know of a registry is told errors in the words for one that is not there."""
        return None if self._packages.begins(asked) else self._distribution.format(asked)

    def key(self, asked: str, environ: WSGIEnvironment) -> Key:
        """The key of the place, cheaply; any other string where there is none."""
        return self._distribution.key(asked, environ)

    def place(self, asked: str, environ: WSGIEnvironment) -> Place | Ping:
        """Raises NotFound and InvalidRequest."""
        if self._distribution.answers(asked):
            return self._distribution.place(asked, environ)
        return self._packages.place(asked)

    def stand_in(self, asked: str, environ: WSGIEnvironment) -> Place | Ping | None:
        """Where :meth:`place` finds none: a place to refuse strangers at as if there were one,
        where not everybody may pull from all registries whose URLs are of the same shape. Not for
        what the request names by a namespace or a host."""
        found = self._packages.stand_in(asked)
        return self._distribution.stand_in(asked, environ) if found is None else found

    def absence(self, asked: str, environ: WSGIEnvironment) -> tuple[VirtregError, Format | None]:
        """What is said where there is no registry, and by whom."""
        speaker = self.format(asked)
        if not asked.startswith("/v2/"):
            return NotFound(NOWHERE), speaker
        try:
            return self._distribution.absence(asked, environ), speaker
        except InvalidRequest as error:
            return error, speaker

    def by_host(self, environ: WSGIEnvironment) -> bool:
        """Whether the request's ``Host`` alone names a registry of images."""
        return self._distribution.by_host(environ)


def refuse_hidden_slash(raw_uri: str) -> None:
    """Refuse a path whose separators are escaped: what is one segment here may be two elsewhere.

    Only servers that hand the raw target on can tell; where one does not, the decoded path is
    checked like any other. Raises InvalidRequest.
    """
    path = raw_uri.partition("?")[0].lower()
    if "%2f" in path or "%5c" in path:
        raise InvalidRequest("path: contains an encoded slash")
