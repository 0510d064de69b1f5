"""A bounded memory of grants that were verified."""

from __future__ import annotations

from threading import Lock

from virtreg.backends.auth.grants.granted import LEEWAY, Granted


class Remembered:
    """Keeps the ``limit`` grants that were verified last, by their text. Thread-safe.

    Grants live alike long, so the oldest is also about the first to end.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._granted: dict[str, Granted] = {}
        self._lock = Lock()

    def __contains__(self, text: str) -> bool:
        return text in self._granted

    def get(self, text: str, now: float) -> Granted | None:
        """Unless it is over."""
        granted = self._granted.get(text)
        return None if granted is None or now >= granted.expires_at + LEEWAY else granted

    def add(self, text: str, granted: Granted) -> None:
        with self._lock:
            self._granted.pop(text, None)
            self._granted[text] = granted
            while len(self._granted) > self._limit:
                del self._granted[next(iter(self._granted))]

    def __len__(self) -> int:
        return len(self._granted)
