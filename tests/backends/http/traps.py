"""A place that must never hear of us."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from attrs import frozen

HOSTS = ("127.0.0.1", "127.0.0.3", "::1")


@frozen
class Trap:
    """Listens on several addresses, on one port. What connects waits in the system's queue, where
    it is found: nothing is missed for being quick."""

    port: int
    _listeners: tuple[socket.socket, ...]

    def caught(self) -> int:
        """How many connections came since the last time this was asked."""
        return sum(self._accept(listener) for listener in self._listeners)

    def _accept(self, listener: socket.socket) -> int:
        count = 0
        while True:
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                return count
            connection.close()
            count += 1


@contextmanager
def trap(hosts: tuple[str, ...] = HOSTS) -> Iterator[Trap]:
    with ExitStack() as stack:
        for _ in range(20):  # a port that is free on the first host may be taken on another
            try:
                listeners = _listen(hosts)
            except OSError:
                continue
            break
        else:
            raise AssertionError("no port is free on all addresses")
        for listener in listeners:
            stack.enter_context(listener)
        yield Trap(listeners[0].getsockname()[1], listeners)


def _listen(hosts: tuple[str, ...], port: int = 0) -> tuple[socket.socket, ...]:
    listeners: list[socket.socket] = []
    try:
        for host in hosts:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family)
            listeners.append(listener)
            listener.setblocking(False)
            port = listener.getsockname()[1]
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return tuple(listeners)
