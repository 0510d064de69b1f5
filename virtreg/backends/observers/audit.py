"""The audit log: one JSON object a line, in a file of its own and as log records."""

from __future__ import annotations

import datetime
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from virtreg.correlation import request_id
from virtreg.errors import StorageError
from virtreg.events import AuditEvent, Event

_log = logging.getLogger("virtreg.audit")


@frozen
class AuditLog:
    """An observer that writes audit events and nothing else. Thread-safe.

    Each is a record of the logger ``virtreg.audit`` at level INFO, its facts in ``extra`` under
    their own names. With a ``path`` it is also a line there, written at once and whole, so that
    several processes may share the file; it is made with mode 0600, and opened for each event, so
    that it can be moved away while the server runs. Raises StorageError when it cannot be written.
    """

    path: Path | None = None
    clock: Callable[[], float] = field(default=time.time, repr=False)
    """Seconds since the epoch."""

    def __call__(self, event: Event) -> None:
        if not isinstance(event, AuditEvent):
            return
        facts = _facts(event)
        _log.info("audit: %s", facts["event"], extra=facts)
        if self.path is not None:
            at = datetime.datetime.fromtimestamp(self.clock(), datetime.UTC)
            told = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            # ASCII, in which no text from outside can end the line.
            line = json.dumps({"time": told, **facts}) + "\n"
            try:
                _append(self.path, line.encode())
            except OSError as error:
                raise StorageError(f"cannot write {self.path}: {error.strerror}") from None


def _facts(event: AuditEvent) -> dict[str, Any]:
    """What is known, the kind of event first; what is empty is left out."""
    values = attrs.asdict(event, recurse=False)
    told = {name: value for name, value in values.items() if value not in ("", None, ())}
    request = request_id()
    return {"event": type(event).__name__, **told, **({"request_id": request} if request else {})}


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
