"""How long a database that others share may keep a caller waiting."""

from __future__ import annotations

from attrs import frozen


@frozen
class Limits:
    """In seconds. A call that meets one fails, and what it held is let go of."""

    connect: int = 3
    """Until a connection stands, by each address of the server; whole seconds, at least 2."""
    queue: float = 2.0
    """For one of the process's connections, while others use them all."""
    lock: float = 4.0
    """For what another transaction holds."""
    answer: float = 5.0
    """For the answer to one statement."""
    total: float = 30.0
    """For a whole transaction."""
    long: float = 20.0
    """Times as long for what is known to take its time, such as adding up all there is."""
    pause: float = 1.0
    """While a server that failed is not asked again."""
