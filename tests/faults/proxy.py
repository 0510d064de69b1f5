"""A TCP proxy on loopback that breaks connections on request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.faults.fault import Fault
from tests.faults.link import Link

T = TypeVar("T")

_PATIENCE = 30.0


class Proxy:
    """Listens on ``port`` and passes bytes to ``target``, a port of loopback. Made by
    :class:`Proxies`; all methods may be called from any thread."""

    def __init__(self, proxies: Proxies, target: int) -> None:
        self._proxies = proxies
        self.target = target
        """May be set anew, for connections to come."""
        self.fault: Fault | None = None
        self.struck = 0
        """Connections that the fault has struck since it was injected; of faults that are there
        at once, at least 1."""
        self.accepted = 0
        """Connections ever."""
        self._listener = _listener(0)
        self.port: int = self._listener.getsockname()[1]
        self._accepting: asyncio.Task[None] | None = None
        self._fillers: list[socket.socket] = []
        self.links: dict[Link, asyncio.Task[None]] = {}

    def inject(self, fault: Fault) -> None:
        """From now on, in place of any other."""
        self._proxies.run(self._inject(fault))

    def heal(self) -> None:
        """Pass everything. What was stalled goes on."""
        self._proxies.run(self._heal())

    def cut(self) -> None:
        """Reset what is connected now, and pass everything."""
        self._proxies.run(self._cut())

    def strikes(self) -> bool:
        """Called by links: whether the fault still has somebody to strike, who is then struck."""
        fault = self.fault
        if fault is None or (fault.times is not None and self.struck >= fault.times):
            return False
        self.struck += 1
        return True

    async def open(self) -> None:
        self._accepting = asyncio.create_task(self._accept(self._listener))

    async def close(self) -> None:
        await self._refuse()
        while self.links:
            await asyncio.gather(*self.links.values())

    async def _inject(self, fault: Fault) -> None:
        await self._heal()
        self.fault = fault
        self.struck = 0
        if fault.kind == "refuse":
            self.struck = 1
            await self._refuse()
        elif fault.kind == "ignore":
            self.struck = 1
            await self._ignore()
        for link in self.links:
            link.restart()

    async def _heal(self) -> None:
        self.fault = None
        for link in self.links:
            link.resume()
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        if self._accepting is None:
            if self._listener.fileno() < 0:
                self._listener = _listener(self.port)
            else:
                self._listener.listen(128)
            await self.open()

    async def _cut(self) -> None:
        for link in self.links:
            link.abort()

    async def _refuse(self) -> None:
        await self._pause()
        self._listener.close()
        await self._cut()

    async def _ignore(self) -> None:
        """With its queue full, the system answers no further connection."""
        await self._pause()
        self._listener.listen(0)
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            self._fillers.append(filler)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
        for link in self.links:
            link.abort()

    async def _pause(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._accepting
            self._accepting = None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            self.accepted += 1
            link = Link(self, client)
            task = asyncio.create_task(link.run())
            self.links[link] = task
            task.add_done_callback(partial(self._ended, link))

    def _ended(self, link: Link, _: object) -> None:
        del self.links[link]


class Proxies:
    """The thread that all proxies run on; a context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._all: list[Proxy] = []

    def to(self, target: int) -> Proxy:
        """A new proxy, which is open."""
        proxy = Proxy(self, target)
        self._all.append(proxy)
        self.run(proxy.open())
        return proxy

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def close(self) -> None:
        for proxy in self._all:
            self.run(proxy.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    listener.setblocking(False)
    return listener
