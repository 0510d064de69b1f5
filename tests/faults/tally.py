"""What a run of faults has come to."""

from __future__ import annotations

import threading
from collections import Counter

from attrs import define, field


@define
class Tally:
    """Thread-safe."""

    injected: Counter[str] = field(factory=Counter)
    """Faults that struck, by what was struck."""
    answers: Counter[str] = field(factory=Counter)
    """By kind: ``whole``, ``error``, ``cut``."""
    wrong: int = 0
    """Whole answers with bytes that nobody published."""
    hung: int = 0
    """Answers that took longer than the limits."""
    held: int = 0
    """Entries that were verified and kept."""
    lost: int = 0
    """Of them, those that could not be served any more."""
    longest: float = 0
    """Seconds until the end of an answer."""
    _lock: threading.Lock = field(factory=threading.Lock)

    def strike(self, component: str) -> None:
        with self._lock:
            self.injected[component] += 1

    def answered(self, kind: str, seconds: float) -> None:
        with self._lock:
            self.answers[kind] += 1
            self.longest = max(self.longest, seconds)
            self.wrong += kind == "wrong"
            self.hung += kind == "hung"

    def kept(self, held: int, lost: int) -> None:
        with self._lock:
            self.held += held
            self.lost += lost

    def __str__(self) -> str:
        by = ", ".join(f"{number} of {name}" for name, number in sorted(self.injected.items()))
        return (
            f"{self.injected.total()} faults ({by}); {self.answers.total()} answers"
            f" ({', '.join(f'{number} {kind}' for kind, number in sorted(self.answers.items()))});"
            f" {self.wrong} wrong, {self.hung} late (longest {self.longest:.1f} s);"
            f" {self.lost} of {self.held} verified entries lost"
        )
