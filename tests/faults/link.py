"""One connection through a proxy: two streams of bytes, and the fault that may strike them."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol

from tests.faults.fault import Fault

_PIECE = 256 * 1024
_NO_LINGER = struct.pack("ii", 1, 0)
_METHODS = (b"GET ", b"HEAD ", b"PUT ", b"POST ", b"DELETE ")


class Keeper(Protocol):
    """What a link asks its proxy."""

    target: int
    fault: Fault | None

    def strikes(self) -> bool: ...


class Link:
    """Of one client. Runs on the proxies' loop alone."""

    def __init__(self, keeper: Keeper, client: socket.socket) -> None:
        self._keeper = keeper
        self._client = client
        self._server = socket.socket()
        self._moving = asyncio.Event()
        self._moving.set()
        self._over = asyncio.Event()
        self._meant = False
        self._slow = False
        self._passed = 0
        self._head: bytes | None = b""

    def restart(self) -> None:
        """Another fault: what is said from now on is looked at."""
        self._meant = self._slow = False

    def resume(self) -> None:
        """Go on where it was stalled."""
        self._moving.set()

    def abort(self) -> None:
        """Reset both ends."""
        for end in (self._client, self._server):
            if end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._end()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        pumps: list[asyncio.Task[None]] = []
        try:
            for end in (self._client, self._server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(self._server, ("127.0.0.1", self._keeper.target))
            pumps = [asyncio.create_task(self._ask()), asyncio.create_task(self._answer())]
            await self._over.wait()
        except OSError:
            pass  # nobody is behind the proxy
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._client.close()
            self._server.close()

    async def _ask(self) -> None:
        while piece := await self._read(self._client):
            self._look(piece)
            if not await self._pass(self._server, piece, "request"):
                return
        await self._moving.wait()
        self._end()

    async def _answer(self) -> None:
        while piece := await self._read(self._server):
            if not await self._pass(self._client, piece, "answer"):
                return
        await self._moving.wait()
        self._end()

    def _look(self, piece: bytes) -> None:
        """Whether a request is the one that is meant."""
        fault = self._keeper.fault
        if fault is not None and fault.on and piece.startswith(_METHODS):
            self._meant = False
            if fault.on in piece.partition(b"\r\n\r\n")[0]:
                self._mean()

    def _mean(self) -> None:
        if not self._meant:
            self._meant = True
            self._passed = 0
            self._head = b""

    async def _pass(self, to: socket.socket, piece: bytes, side: str) -> bool:
        """Whether there may be more."""
        fault = self._keeper.fault
        if fault is not None and not fault.on:
            self._mean()
        if fault is None or not self._meant:
            return await self._send(to, piece)
        if fault.kind == "slow":
            return await self._trickle(to, piece, fault)
        if not fault.counts or side != fault.side:
            return await self._send(to, piece)
        allowed = fault.after - self._counted(piece, fault)
        if len(piece) <= allowed:
            self._count(piece, fault)
            return await self._send(to, piece)
        if not self._keeper.strikes():
            self._meant = False
            return await self._send(to, piece)
        if not await self._send(to, piece[: max(0, allowed)]):
            return False
        if fault.kind == "stall":
            self._meant = False
            self._moving.clear()
            return await self._send(to, piece[max(0, allowed) :])
        if fault.kind == "reset":
            self.abort()
        self._end()
        return False

    def _counted(self, piece: bytes, fault: Fault) -> int:
        """Bytes that count and were passed before this piece; negative: so many of this piece do
        not count."""
        if not fault.body or self._head is None:
            return self._passed
        seen = self._head + piece
        end = seen.find(b"\r\n\r\n")
        if end < 0:
            return -len(piece)
        return -(end + 4 - len(self._head))

    def _count(self, piece: bytes, fault: Fault) -> None:
        if not fault.body or self._head is None:
            self._passed += len(piece)
            return
        self._head += piece
        end = self._head.find(b"\r\n\r\n")
        if end >= 0:
            self._passed = len(self._head) - end - 4
            self._head = None

    async def _trickle(self, to: socket.socket, piece: bytes, fault: Fault) -> bool:
        if not self._slow and not self._keeper.strikes():
            self._meant = False
            return await self._send(to, piece)
        self._slow = True
        step = max(1, fault.rate // 20)
        for begin in range(0, len(piece), step):
            if not await self._send(to, piece[begin : begin + step]):
                return False
            if self._keeper.fault is fault:
                await asyncio.sleep(0.05)
        return True

    async def _read(self, end: socket.socket) -> bytes:
        await self._moving.wait()
        try:
            return await asyncio.get_running_loop().sock_recv(end, _PIECE)
        except OSError:
            return b""

    async def _send(self, to: socket.socket, piece: bytes) -> bool:
        await self._moving.wait()
        if self._over.is_set():
            return False
        try:
            await asyncio.get_running_loop().sock_sendall(to, piece)
        except OSError:
            self._end()
            return False
        return True

    def _end(self) -> None:
        self._over.set()
        self._moving.set()
