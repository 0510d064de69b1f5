"""What a client sees of one answer."""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

# Set by servers, or about the connection or the one request only.
_NOT_OURS = frozenset({"date", "server", "connection", "keep-alive", "x-request-id"})


@frozen
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str:
        """The one value of a header. Raises AssertionError unless there is exactly one."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def __contains__(self, name: str) -> bool:
        return any(key.lower() == name.lower() for key, _ in self.headers)

    @property
    def ours(self) -> dict[str, str]:
        """The headers the application set, names in lower case."""
        pairs = [(name.lower(), value) for name, value in self.headers]
        kept = {name: value for name, value in pairs if name not in _NOT_OURS}
        assert len(kept) == sum(name not in _NOT_OURS for name, _ in pairs), "repeated headers"
        return kept

    @property
    def origin(self) -> str:
        """How the answer came about."""
        return self["X-Virtreg-Cache"]

    @property
    def problem(self) -> dict[str, Any]:
        assert self["Content-Type"] == "application/problem+json"
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        return found
