"""Time limits of one exchange, applied to every single read."""

from __future__ import annotations

import io
import socket
import time

from virtreg.errors import UpstreamTimeout


class Deadline:
    """When an exchange must be over, and how long a silence may last before. One thread's."""

    __slots__ = ("_ends", "_total", "silence")

    def __init__(self, total: float, silence: float) -> None:
        self._total = total
        self._ends = time.monotonic() + total
        self.silence = silence

    def patience(self) -> float:
        """Seconds the next wait may last; raises TimeoutError when there are none left."""
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return min(self.silence, remaining)

    def part(self, seconds: float) -> Deadline:
        """The limit of a phase: this many seconds, but not beyond the whole."""
        return Deadline(min(seconds, self.patience()), seconds)

    def error(self, upstream: str, what: str) -> UpstreamTimeout:
        """The error for a wait that was too long: ``what`` did not come."""
        if time.monotonic() >= self._ends:
            said = f"exchange not over in {self._total:g} s"
        else:
            said = f"{what} in {self.silence:g} s"
        return UpstreamTimeout(f"upstream {upstream!r}: {said}", upstream=upstream)


class TimedStream(io.RawIOBase):
    """Reads a socket, each time with what the deadline still allows.

    A socket's own timeout starts anew with every byte, so a peer that drips could hold a
    connection for ever; http.client has no other limit, neither for headers nor for bodies.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self.deadline = deadline
        """What the next read is held to."""
        self._raw = sock.makefile("rb", buffering=0)
        self.started = False
        """Whether any byte arrived."""

    def readable(self) -> bool:
        return True

    # typeshed asks for a buffer of any kind; BufferedReader passes no other than this.
    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._sock.settimeout(self.deadline.patience())
        count = self._raw.readinto(buffer)
        if count:
            self.started = True
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
