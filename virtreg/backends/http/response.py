"""Responses as http.client reads them, held to what it lets pass."""

from __future__ import annotations

import http.client
import io
from http import HTTPStatus

_MOST_INTERIM = 10


class Lines(io.BufferedReader):
    """Lines that end: http.client takes a connection cut within the head for the end of the head,
    and a head that lost its ``Content-Length`` for that of an empty body."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            raise http.client.RemoteDisconnected("cut within a line")
        return line


class FinalResponse(http.client.HTTPResponse):
    """The answer after any interim ones (RFC 9110, 15.2).

    http.client itself skips 100 for as long as it comes, and takes any other interim response for
    the answer, so that the true one would meet the next request on the connection.
    """

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_INTERIM + 1):
            # Private, and so unknown to typeshed: the one place where interim answers pass.
            read: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            status = read[1]
            if not 100 <= status < 200:
                return read
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                break
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("no final response")

    def _read_and_discard_trailer(self) -> None:
        """Bounded like a head; http.client reads on for as long as lines come."""
        http.client.parse_headers(self.fp)
