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
        """Who speaks at this URL where no place is found."""
        return self._distribution.format(asked)

    def key(self, asked: str, environ: WSGIEnvironment) -> Key:
        """The key of the place, cheaply; any other string where there is none."""
        return self._distribution.key(asked, environ)

    def place(self, asked: str, environ: WSGIEnvironment) -> Place | Ping:
        """Raises NotFound and InvalidRequest."""
        if self._distribution.format(asked) is not None:
            return self._distribution.place(asked, environ)
        return self._packages.place(asked)

    def absence(self, asked: str, environ: WSGIEnvironment) -> tuple[VirtregError, Format | None]:
        """What is said where there is no registry, and by whom."""
        if not asked.startswith("/v2/"):
            return NotFound(NOWHERE), None
        speaker = self._distribution.format(asked)
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
