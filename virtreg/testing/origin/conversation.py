"""One connection of an origin: reads requests, answers as the path's behaviour says."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from attrs import frozen

from virtreg.testing.gate import Gate
from virtreg.testing.origin.behaviour import Behaviour
from virtreg.testing.origin.content import Content

_PIECE = 256 * 1024
_OPEN_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_LOGIN_PAGE = b"<!DOCTYPE html><html><title>Sign in</title><body>Please sign in.</body></html>"


@frozen
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    """Decoded, without leading slash and query."""
    target: str
    """Exactly as on the request line."""
    headers: Mapping[str, str]
    """Names in lower case."""
    connection: int
    """The client's port: the same for requests on one connection."""
    query: tuple[tuple[str, str], ...] = ()
    """Decoded."""
    body: bytes = b""


class Desk(Protocol):
    """What a conversation asks its origin."""

    def record(self, seen: Seen) -> None: ...

    def look_up(self, path: str, query: str) -> tuple[Content | None, Behaviour]: ...

    def pass_through(self, gate: Gate) -> None: ...


class _Hangup(Exception):
    """The behaviour wants the connection gone."""


class Conversation(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 with keep-alive until the client leaves."""

    protocol_version = "HTTP/1.1"
    server_version = "origin"
    sys_version = ""
    wbufsize = -1  # headers and a small body leave in one packet
    server: Any

    @property
    def desk(self) -> Desk:
        desk: Desk = self.server
        return desk

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent: the request log is ``Origin.requests``."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _serve(self, body: bytes = b"") -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path).lstrip("/")
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = self.client_address[1]
        self.desk.record(Seen(self.command, path, self.path, headers, port, query, body))
        content, behaviour = self.desk.look_up(path, urlencode(query))
        if behaviour.hold is not None:
            self.desk.pass_through(behaviour.hold)
        try:
            if behaviour.silent:
                raise _Hangup
            self._answer(content, behaviour, body)
        except _Hangup:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, content: Content | None, behaviour: Behaviour, body: bytes) -> None:
        kept_out = self._kept_out(behaviour)
        if kept_out is not None:
            status, extra = kept_out
            self._send(status, Content.of_bytes(b"%d\n" % status), behaviour, extra)
        elif behaviour.mint is not None and behaviour.status == 200 and not behaviour.redirect:
            form = body.decode() if self.command == "POST" else None
            given = self.headers.get("Authorization")
            query = urlsplit(self.path).query
            status, headers, answer = behaviour.mint.mint(given, query, form)
            self._send(status, Content.of_bytes(answer), behaviour, headers)
        elif behaviour.redirect is not None:
            status = 302 if behaviour.status == 200 else behaviour.status
            moved = Content.of_bytes(b"moved\n")
            self._send(status, moved, behaviour, {"Location": behaviour.redirect})
        elif behaviour.html:
            page = Content.of_bytes(_LOGIN_PAGE)
            self._send(200, page, behaviour, {"Content-Type": "text/html; charset=utf-8"})
        elif behaviour.status != 200 or content is None:
            status = 404 if behaviour.status == 200 else behaviour.status
            self._send(status, content or Content.of_bytes(b"%d\n" % status), behaviour, {})
        else:
            self._send_found(content, behaviour)

    def _kept_out(self, behaviour: Behaviour) -> tuple[int, dict[str, str]] | None:
        """Status and headers for a request that gets no further."""
        if self.command == "POST" and behaviour.mint is None:
            return 405, {"Allow": "GET, HEAD"}
        if behaviour.reject is not None and behaviour.reject in self.headers:
            return 400, {}
        if behaviour.require is not None:
            name, value = behaviour.require
            if self.headers.get(name) != value:
                return 401, {"WWW-Authenticate": 'Basic realm="origin"'}
        lock = behaviour.lock
        if lock is not None:
            given = self.headers.get("Authorization")
            if not lock.tokens.admits(given, lock.scope):
                return 401, {"WWW-Authenticate": lock.challenge()}
        if self.command == "HEAD" and behaviour.head is not None:
            return behaviour.head, {}
        return (403, {}) if behaviour.forbid else None

    def _send_found(self, content: Content, behaviour: Behaviour) -> None:
        extra = {"Content-Type": "application/octet-stream"}
        if behaviour.gzip:
            content = content.compressed()
            extra["Content-Encoding"] = "gzip"
        if behaviour.conditional:
            extra |= {"ETag": content.etag, "Last-Modified": content.last_modified}
            if self._unchanged(content):
                self._send(304, None, behaviour, extra)
                return
        first, stop = 0, content.size
        if behaviour.ranges:
            extra["Accept-Ranges"] = "bytes"
            asked = self._asked_range(content)
            if asked is not None:
                first, stop = asked
                if first >= content.size:
                    extra["Content-Range"] = f"bytes */{content.size}"
                    self._send(416, Content.of_bytes(b"416\n"), behaviour, extra)
                    return
                first += behaviour.range_shift
                extra["Content-Range"] = f"bytes {first}-{stop - 1}/{content.size}"
                self._send(206, content, behaviour, extra, first, stop)
                return
        self._send(200, content, behaviour, extra)

    def _unchanged(self, content: Content) -> bool:
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return content.etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        since = self.headers.get("If-Modified-Since")
        if since is None:
            return False
        return parsedate_to_datetime(content.last_modified) <= parsedate_to_datetime(since)

    def _asked_range(self, content: Content) -> tuple[int, int] | None:
        match = _OPEN_RANGE.fullmatch(self.headers.get("Range", ""))
        if match is None:
            return None
        condition = self.headers.get("If-Range")
        if condition is not None and condition not in (content.etag, content.last_modified):
            return None
        last = int(match[2]) if match[2] else content.size - 1
        return int(match[1]), min(last + 1, content.size)

    def _send(
        self,
        status: int,
        content: Content | None,
        behaviour: Behaviour,
        extra: Mapping[str, str],
        first: int = 0,
        stop: int | None = None,
    ) -> None:
        end = 0 if content is None else content.size if stop is None else stop
        self.send_response(status, HTTPStatus(status).phrase)
        headers = dict(extra)
        if content is not None:
            if behaviour.chunked:
                headers["Transfer-Encoding"] = "chunked"
            elif not behaviour.until_close:
                declared = behaviour.declared_length
                headers["Content-Length"] = str(end - first if declared is None else declared)
        for name, value in {**headers, **behaviour.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if content is not None and self.command != "HEAD":
            self._send_body(content, behaviour, first, end)
        if behaviour.until_close or behaviour.close:
            raise _Hangup
        self.wfile.flush()

    def _send_body(self, content: Content, behaviour: Behaviour, first: int, end: int) -> None:
        write: Callable[[bytes], Any] = self._write_chunk if behaviour.chunked else self.wfile.write
        stops = (behaviour.stall_after, behaviour.cut_after)
        marks = sorted(mark for mark in stops if mark is not None)
        with content.open() as body:
            body.seek(first)
            sent, total = 0, end - first
            for mark in [*marks, total]:
                while sent < min(mark, total):
                    piece = body.read(min(_PIECE, min(mark, total) - sent))
                    write(piece)
                    sent += len(piece)
                if mark == behaviour.stall_after:
                    self.wfile.flush()
                    self.desk.pass_through(behaviour.stall)
                if mark == behaviour.cut_after:
                    raise _Hangup
        if behaviour.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _write_chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
