"""Sending clients to where a large blob is kept, instead of sending them the blob.

Only after permission, and only for GET: a link is good for whoever has it, for as long as it lasts,
and for GET alone. It is in the answer's ``Location`` and nowhere else, no log included.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final, Literal

from virtreg.core.conditional import Full, Partial
from virtreg.core.layout import blob_key
from virtreg.errors import StorageError
from virtreg.model import Algorithm, Headers
from virtreg.protocols import CacheStore, Presigns, Resolution
from virtreg.wsgi.serving import Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_log = logging.getLogger(__name__)

LARGE: Final = 1024 * 1024
"""Bytes from which a second request costs a client less than it spares this server."""

SECONDS: Final = 300
"""For which a link is good; a download that began before its end goes on after it."""

_KEPT: Final = frozenset({"hit", "revalidated", "stale"})
"""Origins of what the store holds already."""

_CONDITIONS: Final = (
    "HTTP_IF_MATCH",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_IF_RANGE",
)
"""What a client would repeat there, about validators that are not those of the store."""

_OF_THE_BODY: Final = frozenset(
    {
        "accept-ranges",
        "cache-control",
        "content-disposition",
        "content-length",
        "content-range",
        "content-type",
        "etag",
        "last-modified",
    }
)

_URL: Final = re.compile(r"https?://[\x21-\x7e]+")


class Redirecting:
    """Thread-safe. ``mode`` as ``[storage] redirect`` has it."""

    def __init__(self, store: CacheStore, mode: Literal["never", "whole", "always"]) -> None:
        self._store = store if isinstance(store, Presigns) else None
        self._ranges = mode == "always"
        self._on = mode != "never" and self._store is not None

    def instead(
        self, response: Response, resolution: Resolution, environ: WSGIEnvironment
    ) -> Response:
        """The answer 307 (RFC 9110, 15.4.8) in place of ``response``, or that itself where the
        client is better served from here, or the store cannot tell."""
        if not self._on or not self._may(response, resolution, environ):
            return response
        link = self._link(response, resolution)
        if link is None:
            return response
        headers: Headers = (
            *(pair for pair in response.headers if pair[0].lower() not in _OF_THE_BODY),
            ("Location", link),
            ("Cache-Control", "private, no-store"),
            ("Content-Length", "0"),
        )
        return Response(307, headers, None, 0)

    def _may(self, response: Response, resolution: Resolution, environ: WSGIEnvironment) -> bool:
        answer = response.answer
        whole = isinstance(answer, Full) and "HTTP_RANGE" not in environ
        part = self._ranges and isinstance(answer, Partial) and len(answer.ranges) == 1
        return (
            (whole or part)
            and environ["REQUEST_METHOD"] == "GET"
            and response.length >= LARGE
            and resolution.origin in _KEPT
            and resolution.route.checksum is None
            and not any(name in environ for name in _CONDITIONS)
        )

    def _link(self, response: Response, resolution: Resolution) -> str | None:
        representation = resolution.representation
        sha256 = representation.digests.get(Algorithm.SHA256)
        size = representation.size
        assert self._store is not None
        if sha256 is None or size is None:
            return None
        media_type = next(
            (value for name, value in response.headers if name == "Content-Type"),
            "application/octet-stream",
        )
        try:
            link = self._store.presign(blob_key(sha256), size, media_type, SECONDS)
        except StorageError as error:
            # Missing included: to open what should be there finds that out, and mends it.
            _log.info("a client is not sent to the store: %s", error.message)
            return None
        return link if link is not None and _URL.fullmatch(link) else None
