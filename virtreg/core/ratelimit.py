"""How often somebody may do something: a leaky bucket for each key."""

from __future__ import annotations

from attrs import field, frozen

_ROUNDING = 1e-6
"""Of one event: what a clock's floats may lose must not keep out who waited as told."""


@frozen
class Rate:
    """``events`` at once, and as many again over each ``seconds``, spread evenly.

    So an interval of ``t`` seconds has at most ``events * (1 + t / seconds)``. Raises ValueError
    for fewer than one event and for no time.
    """

    events: int
    seconds: float
    _per_second: float = field(init=False, repr=False, eq=False)

    @_per_second.default
    def _divide(self) -> float:
        if self.events < 1:
            raise ValueError("a rate has at least one event")
        if not 0 < self.seconds < float("inf"):
            raise ValueError("a rate has more than 0 seconds")
        return self.events / self.seconds

    def level(self, level: float, seconds: float) -> float:
        """What is left of a bucket's level after some seconds; a clock that went backwards took
        none."""
        return max(0.0, level - max(0.0, seconds) * self._per_second)

    def wait(self, level: float) -> float:
        """Seconds until one more event fits above this level; 0: it does now."""
        excess = level + 1 - self.events
        return excess / self._per_second if excess > _ROUNDING else 0.0


class Buckets:
    """The buckets of one rate, by key, at most ``most`` of them.

    With more keys the one that was changed the longest ago is forgotten: whoever brings many keys
    empties the buckets of others and fills none. ``now`` is in seconds, of any clock. Not
    thread-safe.
    """

    def __init__(self, rate: Rate, most: int = 10_000) -> None:
        self._rate = rate
        self._most = most
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, key: str, now: float) -> float:
        """Seconds until one more event of the key fits; 0: it does now."""
        return self._rate.wait(self.level(key, now))

    def spend(self, key: str, now: float) -> None:
        """Count one event, whether it fits or not; the bucket does not get fuller than full."""
        level = min(self.level(key, now) + 1, self._rate.events)
        self._buckets.pop(key, None)
        self._buckets[key] = (level, now)
        if len(self._buckets) > self._most:
            del self._buckets[next(iter(self._buckets))]

    def take(self, key: str, now: float) -> float:
        """As :meth:`wait`, and the event is counted if it fits."""
        wait = self.wait(key, now)
        if wait == 0:
            self.spend(key, now)
        return wait

    def __len__(self) -> int:
        return len(self._buckets)

    def level(self, key: str, now: float) -> float:
        """Events of the key that still count."""
        found = self._buckets.get(key)
        return 0.0 if found is None else self._rate.level(found[0], now - found[1])
