"""Events as a test sees them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from virtreg.events import Event

E = TypeVar("E", bound=Event)

_PATIENCE = 20.0


class Recorder:
    """An observer that keeps everything and can be waited for. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def of(self, kind: type[E], path: str | None = None) -> list[E]:
        """The events of one kind so far, of one path or all."""
        with self._changed:
            return [
                event
                for event in self._events
                if isinstance(event, kind) and path in (None, event.path)
            ]

    def wait(self, kind: type[E], path: str, count: int = 1) -> list[E]:
        """Block until that many events of a kind were told of a path."""
        self.wait_until(lambda: len(self.of(kind, path)) >= count, f"{kind.__name__} of {path}")
        return self.of(kind, path)

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """Block until a condition on the events holds."""
        with self._changed:
            assert self._changed.wait_for(true, _PATIENCE), f"waited in vain for the {what}"
