"""Small real servers and shorthands for these tests."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from virtreg.backends.http import HttpUpstream
from virtreg.backends.http.reply import HttpReply
from virtreg.model import Fetch, UpstreamSpec
from virtreg.testing.upstreams import read_all

LOOPBACK = ("127.0.0.0/8", "::1/128")


@contextlib.contextmanager
def upstream(url: str, **settings: Any) -> Iterator[HttpUpstream]:
    """An upstream named ``up`` that may reach loopback, with short limits, closed at the end."""
    limits: dict[str, Any] = {"read_timeout": 5, "connect_timeout": 5, "allow_private": LOOPBACK}
    made = HttpUpstream(UpstreamSpec("up", url, **(limits | settings)))
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def fetched(asked: HttpUpstream, request: Fetch | str) -> Iterator[HttpReply]:
    """The reply to a fetch, closed at the end."""
    reply = asked.fetch(Fetch(request) if isinstance(request, str) else request)
    try:
        yield reply
    finally:
        reply.close()


def read_into(pieces: list[bytes], reply: HttpReply) -> None:
    """Collect what comes before the end or an error."""
    while piece := reply.read(65536):
        pieces.append(piece)


def get(asked: HttpUpstream, request: Fetch | str) -> tuple[int, bytes]:
    """Status and whole body of one fetch."""
    with fetched(asked, request) as reply:
        return reply.status, read_all(reply)


class _Server:
    """Accepts on loopback, one thread a connection, until closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._done.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._run, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.converse(connection)

    def converse(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in list(self._threads):
            thread.join()
        self._listener.close()


class RawServer(_Server):
    """Answers each connection with the same bytes and then falls silent."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        super().__init__()

    def converse(self, connection: socket.socket) -> None:
        connection.sendall(self._answer)
        self._done.wait()


class Script(_Server):
    """Answers each request of a connection with the next of ``answers``, and hangs up after it
    where told to. ``once``: sends them all to the first request, ``pause`` seconds apart."""

    def __init__(
        self,
        answers: Sequence[bytes],
        *,
        hang_up: bool = False,
        once: bool = False,
        pause: float = 0,
    ) -> None:
        self._answers = answers
        self._hang_up = hang_up
        self._once = once
        self._pause = pause
        super().__init__()

    def converse(self, connection: socket.socket) -> None:
        for number, answer in enumerate(self._answers):
            if number == 0 or not self._once:
                read_head(connection)
            elif self._done.wait(self._pause):
                return
            connection.sendall(answer)
            if self._hang_up:
                return
        self._done.wait()


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ConnectionResetError
        head += piece
    return head


class ProxyServer(_Server):
    """A forwarding proxy: absolute-form requests, one a connection, and CONNECT tunnels."""

    def __init__(self, credentials: str | None = None) -> None:
        self._credentials = credentials
        self.heads: list[bytes] = []
        super().__init__()

    def converse(self, connection: socket.socket) -> None:
        head = read_head(connection)
        self.heads.append(head)
        line, _, rest = head.partition(b"\r\n")
        method, target, _ = line.decode().split(" ")
        if self._credentials is not None and self._credentials.encode() not in head:
            connection.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as onward:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                self._pump(connection, onward)
            return
        authority, _, path = target.removeprefix("http://").partition("/")
        host, _, port = authority.rpartition(":")
        with socket.create_connection((host, int(port))) as onward:
            onward.sendall(f"{method} /{path} HTTP/1.1\r\nConnection: close\r\n".encode() + rest)
            self._pump(connection, onward)

    def _pump(self, client: socket.socket, onward: socket.socket) -> None:
        while not self._done.is_set():
            ready, _, _ = select.select([client, onward], [], [], 0.05)
            for end in ready:
                piece = end.recv(65536)
                if not piece:
                    return
                (onward if end is client else client).sendall(piece)
