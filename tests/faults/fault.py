"""What may happen to a connection, and when."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Kind = Literal["refuse", "ignore", "cut", "reset", "stall", "slow"]
"""``refuse``: nobody listens, and what was connected is reset. ``ignore``: connections are not
completed, as if packets were dropped. ``cut``: the connection ends as if all had been said.
``reset``: it ends with a reset. ``stall``: it stays, and nothing passes any more, either way.
``slow``: it passes ``rate`` bytes a second."""


@frozen
class Fault:
    """Strikes every connection of a :class:`~tests.faults.proxy.Proxy`, those that are open too,
    from the moment it is injected until it is healed."""

    kind: Kind
    after: int = 0
    """Bytes that still pass, counted from the injection or the request that is meant."""
    side: Literal["answer", "request"] = "answer"
    """Which way they are counted."""
    body: bool = False
    """Count from the first byte of an HTTP answer's body."""
    on: bytes = b""
    """Bytes of the request that is meant, which begins with them or has them in its head; empty:
    anything that is said."""
    times: int | None = None
    """How many connections it strikes before it is over; None: all."""
    rate: int = 0
    """Bytes a second, of ``slow``."""

    def __str__(self) -> str:
        where = f" {'body' if self.body else self.side}+{self.after}" if self.counts else ""
        once = "" if self.times is None else f" x{self.times}"
        return f"{self.kind}{where}{once}"

    @property
    def counts(self) -> bool:
        """Whether it waits for bytes; the others are there at once."""
        return self.kind in ("cut", "reset", "stall")
