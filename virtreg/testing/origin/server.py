"""The origin itself: listens, keeps a thread per connection, ends them all on close."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from virtreg.testing.gate import Gate
from virtreg.testing.origin.behaviour import HEALTHY, Behaviour
from virtreg.testing.origin.content import Content, Published, find_file
from virtreg.testing.origin.conversation import Conversation, Seen

_TLS_PATIENCE = 10.0


class Origin:
    """An HTTP/1.1 server on 127.0.0.1 with its own threads; a context manager.

    Paths are given without a leading slash. A path nobody put is looked up in ``folder``, else
    answered 404; every request is recorded. All methods may be called from any thread.

    With ``tls`` (a server-side context) it speaks https, as ``localhost``.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        folder: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._folder = None if folder is None else folder.resolve()
        self._tls = tls
        self._lock = threading.Lock()
        self._published: dict[str, Published] = {}
        self._requests: list[Seen] = []
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._gates: set[Gate] = set()
        self._closing = False
        for path, body in (files or {}).items():
            self.put(path, body)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="origin", daemon=True)
        self._acceptor.start()

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Serve a directory tree; files are read when asked for, piece by piece."""
        return cls(folder=folder)

    @property
    def url(self) -> str:
        """Base URL without a trailing slash."""
        return f"http://127.0.0.1:{self.port}" if self._tls is None else self.named_url

    @property
    def named_url(self) -> str:
        """The base URL with the name ``localhost`` in place of the address."""
        return f"{'http' if self._tls is None else 'https'}://localhost:{self.port}"

    @property
    def requests(self) -> list[Seen]:
        """Every request so far, in order of arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def connections(self) -> int:
        """How many connections were accepted and are still open."""
        with self._lock:
            return len(self._connections)

    def count(self, path: str, method: str = "GET") -> int:
        """How often a path was asked for."""
        return sum(seen.path == path and seen.method == method for seen in self.requests)

    def put(
        self,
        path: str,
        body: bytes | Sequence[bytes] = (),
        *,
        only_times: int | None = None,
        **behaviours: Any,
    ) -> None:
        """Publish a path, with ``?name=value&…`` for a query's own answer, replacing what it was.

        A sequence of bodies is served one a request, the last one from then on; no body is 404
        unless a behaviour says otherwise. ``behaviours`` are the fields of :class:`Behaviour`;
        ``only_times`` ends them after that many requests.
        """
        bodies = (body,) if isinstance(body, bytes) else tuple(body)
        published = Published(bodies, Behaviour(**behaviours), only_times)
        with self._lock:
            self._published[path] = published

    def remove(self, path: str) -> None:
        """Forget a path that was put."""
        with self._lock:
            del self._published[path]

    def close(self) -> None:
        """Cut every connection, open every gate somebody waits at, end every thread."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            gates = list(self._gates)
            connections = dict(self._connections)
        for gate in gates:
            gate.release()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._acceptor.join()
        self._listener.close()
        for thread, connection in connections.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def record(self, seen: Seen) -> None:
        """Called by conversations."""
        with self._lock:
            self._requests.append(seen)

    def look_up(self, path: str, query: str) -> tuple[Content | None, Behaviour]:
        """Called by conversations."""
        with self._lock:
            published = self._published.get(f"{path}?{query}") or self._published.get(path)
        if published is not None:
            return published.next()
        return (None if self._folder is None else find_file(self._folder, path)), HEALTHY

    def pass_through(self, gate: Gate) -> None:
        """Called by conversations."""
        with self._lock:
            self._gates.add(gate)
            closing = self._closing
        if closing:
            gate.release()
        gate.arrive()

    def _accept(self) -> None:
        while True:
            connection, address = self._listener.accept()
            with self._lock:
                if self._closing:
                    connection.close()
                    return
                thread = threading.Thread(
                    target=self._converse, args=(connection, address), daemon=True
                )
                self._connections[thread] = connection
                thread.start()

    def _converse(self, connection: socket.socket, address: Any) -> None:
        spoken = connection
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection.settimeout(_TLS_PATIENCE)
                spoken = self._tls.wrap_socket(connection, server_side=True)
                spoken.settimeout(None)
            with self._lock:
                if self._closing:
                    return
                self._connections[threading.current_thread()] = spoken
            # typeshed wants a socketserver here; the conversation asks only for its Desk.
            Conversation(spoken, address, self)  # type: ignore[arg-type]
        except OSError:
            pass  # the client left, or close() cut the connection
        finally:
            spoken.close()
            with self._lock:
                del self._connections[threading.current_thread()]
