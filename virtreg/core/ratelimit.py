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
    per_second: float = field(init=False, repr=False, eq=False)

    @per_second.default
    def _divide(self) -> float:
        if self.events < 1:
            raise ValueError("a rate has at least one event")
        if not 0 < self.seconds < float("inf"):
            raise ValueError("a rate has more than 0 seconds")
        return self.events / self.seconds


class Buckets:
    """The buckets of one rate, by key, at most ``most`` of them.

    With more keys the one that was changed the longest ago is forgotten: whoever brings many keys
    empties the buckets of others and fills none. ``now`` is in seconds, of any clock; when it goes
    backwards nothing drains meanwhile. Not thread-safe.
    """

    def __init__(self, rate: Rate, most: int = 10_000) -> None:
        self._events = rate.events
        self._per_second = rate.per_second
        self._most = most
        self._buckets: dict[str, tuple[float, float]] = {}

    def level(self, key: str, now: float) -> float:
        """Events of the key that still count."""
        found = self._buckets.get(key)
        if found is None:
            return 0.0
        level, then = found
        return max(0.0, level - (now - then) * self._per_second) if now > then else level

    def wait(self, key: str, now: float) -> float:
        """Seconds until one more event of the key fits; 0: it does now."""
        return self._wait(self.level(key, now))

    def spend(self, key: str, now: float) -> None:
        """Count one event, whether it fits or not; the bucket does not get fuller than full."""
        self._fill(key, self.level(key, now), now)

    def take(self, key: str, now: float) -> float:
        """As :meth:`wait`, and the event is counted if it fits."""
        level = self.level(key, now)
        if level + 1 - self._events > _ROUNDING:
            return self._wait(level)
        self._fill(key, level, now)
        return 0.0

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._buckets)

    def _wait(self, level: float) -> float:
        excess = level + 1 - self._events
        return excess / self._per_second if excess > _ROUNDING else 0.0

    def _fill(self, key: str, level: float, now: float) -> None:
        buckets = self._buckets
        buckets.pop(key, None)  # To the end, among those that were changed last.
        buckets[key] = (min(level + 1, self._events), now)
        if len(buckets) > self._most:
            del buckets[next(iter(buckets))]
