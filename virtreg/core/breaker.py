"""A circuit breaker: stop asking an upstream that keeps failing, and find out when it is back."""

from __future__ import annotations

from typing import Literal

from attrs import define, field

from virtreg.core.backoff import MAX_RETRY_AFTER


@define
class Breaker:
    """Remembers how one upstream has been doing.

    Closed, every request passes. ``threshold`` failures in a row open it: nothing passes for
    ``cooldown`` seconds, doubled each time it opens again, at most ``longest_cooldown``. After
    that it is half-open: one trial request passes at a time, and its outcome closes the breaker
    or opens it again. A trial nobody reports within ``longest_cooldown`` counts as lost, so that a
    forgotten report cannot shut the upstream out for good.

    Every admitted request should end in exactly one of ``succeeded``, ``failed``, ``throttled`` and
    ``withdrawn``; one whose answer has a body is ``answered`` before. An upstream that answers well
    and breaks every body off is so found out: answers let others pass, only bodies forgive.
    Outcomes of requests admitted before it opened are ignored while it is open, except that a
    throttle may extend it. ``now`` is any clock that never runs backwards, in seconds.

    Not thread-safe: its owner holds a lock around each call.
    """

    threshold: int = 5
    cooldown: float = 5.0
    longest_cooldown: float = 60.0
    _failures: int = field(default=0, init=False)
    _openings: int = field(default=0, init=False)
    _until: float | None = field(default=None, init=False)
    _trial: float | None = field(default=None, init=False)

    def admit(self, now: float) -> bool:
        """Whether a request may be sent; a True in half-open state is the one trial."""
        if self.blocked_until(now) is not None:
            return False
        if self._until is not None:
            self._trial = now
        return True

    def blocked_until(self, now: float) -> float | None:
        """When it is worth asking again, or None when a request would be admitted now."""
        if self._until is None:
            return None
        if now < self._until:
            return self._until
        if self._trial is not None and now < self._trial + self.longest_cooldown:
            return min(now + self.cooldown, self._trial + self.longest_cooldown)
        return None

    def state(self, now: float) -> Literal["closed", "open", "half_open"]:
        if self._until is None:
            return "closed"
        return "open" if now < self._until else "half_open"

    def succeeded(self, now: float) -> None:
        """The upstream answered definitely; an answer of "absent" is a success too."""
        if self._open(now):
            return
        self._failures = 0
        self._openings = 0
        self._until = None
        self._trial = None

    def answered(self, now: float) -> None:
        """The headers of a good answer are there, its body is still to come: others may pass,
        and one more failure is as many as before."""
        if self._open(now):
            return
        self._until = None
        self._trial = None

    def withdrawn(self) -> None:
        """An admitted request was never sent; a trial may be somebody else's."""
        self._trial = None

    def failed(self, now: float) -> None:
        """The upstream was unreachable, too slow, said 5xx, or broke a body off."""
        if self._open(now):
            return
        self._failures += 1
        if self._until is not None or self._failures >= self.threshold:
            self._reopen(now)

    def throttled(self, now: float, retry_after: float | None) -> None:
        """The upstream asked for a pause of ``retry_after`` seconds (at most 300 are granted), or
        for one of unstated length: open at once."""
        if retry_after is None:
            if not self._open(now):
                self._reopen(now)
            return
        pause_end = now + min(max(retry_after, 0.0), MAX_RETRY_AFTER)
        self._until = pause_end if self._until is None else max(self._until, pause_end)
        self._trial = None

    def _open(self, now: float) -> bool:
        return self._until is not None and now < self._until

    def _reopen(self, now: float) -> None:
        pause = self.cooldown * 2.0 ** min(self._openings, 60)
        self._until = now + min(pause, self.longest_cooldown)
        self._openings += 1
        self._trial = None
