"""A bounded memory of credentials that proved right."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from virtreg.model import Principal


class Verified:
    """Keeps the ``limit`` most recently used principals by the fingerprint of their credentials."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._principals: OrderedDict[bytes, Principal] = OrderedDict()
        self._lock = Lock()

    def get(self, fingerprint: bytes) -> Principal | None:
        with self._lock:
            principal = self._principals.get(fingerprint)
            if principal is not None:
                self._principals.move_to_end(fingerprint)
            return principal

    def add(self, fingerprint: bytes, principal: Principal) -> None:
        with self._lock:
            self._principals[fingerprint] = principal
            self._principals.move_to_end(fingerprint)
            while len(self._principals) > self._limit:
                self._principals.popitem(last=False)

    def __len__(self) -> int:
        with self._lock:
            return len(self._principals)
