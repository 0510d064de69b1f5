"""What an answer may be while something is broken, and that what was held is held still."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping

from attrs import define, field

from tests.faults.caller import Answer, ask
from tests.faults.tally import Tally

LIMIT = 25.0
"""Seconds: the longest answer, with the time limits that virtreg is given here."""
HEALED = 45.0
"""Seconds until all is well again after a fault is: breakers wait before they try."""

_ALLOWED = (502, 503, 504)


@define
class Wanted:
    """What is asked for, and what it may be."""

    url: str
    truth: frozenset[str]
    essence: Callable[[bytes], str] = field(repr=False)
    headers: Mapping[str, str] = field(factory=dict)

    @classmethod
    def of(cls, url: str, body: bytes) -> Wanted:
        """Exactly these bytes."""
        return cls(
            url,
            frozenset([hashlib.sha256(body).hexdigest()]),
            lambda given: hashlib.sha256(given).hexdigest(),
        )

    def right(self, answer: Answer) -> bool:
        if answer.status != 200 or not answer.whole:
            return False
        try:
            return self.essence(answer.body) in self.truth
        except ValueError:
            return False


@define
class Judge:
    """Counts, and says what is wrong. Thread-safe."""

    tally: Tally
    limit: float = LIMIT
    gone: bool = False
    """Whether there may be no answer at all: the node itself is struck."""

    def ask(self, wanted: Wanted, *, must: bool = False) -> tuple[Answer, str | None]:
        """The answer, and what is wrong with it; with ``must`` it has to be the right bytes."""
        answer = ask(wanted.url, self.limit, headers=wanted.headers)
        kind, complaint = self._kind(wanted, answer, must=must)
        self.tally.answered(kind, answer.seconds)
        return answer, None if complaint is None else f"{complaint}: {wanted.url}: {answer}"

    def _kind(self, wanted: Wanted, answer: Answer, *, must: bool) -> tuple[str, str | None]:
        if answer.hung:
            return "hung", "no answer in time"
        if wanted.right(answer):
            return "whole", None
        if answer.status == 200 and answer.whole:
            return "wrong", "wrong bytes"
        if answer.status == 0 and self.gone:
            return "none", None
        if answer.status == 200:
            return "cut", "cut, and held before" if must else None
        if answer.status not in _ALLOWED:
            return "refused", "not an error that may be"
        if "retry-after" not in answer.headers:
            return "refused", "no Retry-After"
        return "error", "an error, and held before" if must else None

    def heal(self, wanted: Wanted) -> str | None:
        """Waits until it is served as if nothing had been, and held; what keeps it from that."""
        deadline = time.monotonic() + HEALED
        pause = 0.02
        while True:
            answer, complaint = self.ask(wanted)
            if complaint is not None:
                return f"after it was healed: {complaint}"
            if wanted.right(answer) and answer.cache in ("hit", "revalidated", "stale"):
                return None
            if time.monotonic() > deadline:
                return f"not healed within {HEALED} s: {wanted.url}: {answer} {answer.cache}"
            time.sleep(pause)
            pause = min(0.5, pause * 2)
