"""Logging of the bundled server; as a library virtreg configures none."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from typing import Any, TextIO

from rich.console import Console
from rich.logging import RichHandler

from virtreg.correlation import request_id
from virtreg.errors import StorageError

ACCESS = "virtreg.access"
"""Logger of requests: one record each, its facts in ``extra``."""

SERVER = "_granian"
"""Logger of the server underneath: what it says about a transfer that failed, and about its end."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "at", "message", "taskName"}


class Lines(logging.Formatter):
    """What a store or a database says in its own words, without the traceback that all others
    have."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        error = ei[1]
        return str(error) if isinstance(error, StorageError) else super().formatException(ei)


class JsonLines(Lines):
    """One JSON object per record: time (RFC 3339, UTC), level, logger, message, and the facts
    of ``extra`` under their own names, and the id of the request that it is about. A fact ``at``,
    in seconds since the epoch, is the time: requests are reported a little after they were
    answered."""

    def format(self, record: logging.LogRecord) -> str:
        at = getattr(record, "at", record.created)
        time = datetime.datetime.fromtimestamp(at, datetime.UTC)
        facts = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        request = request_id()
        if request:
            facts["request_id"] = request
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        return json.dumps(facts | extra, default=str)


def to_standard_error(*, plain: bool) -> dict[str, Any]:
    """The server's own words, in the form of ours. By its own choice they go to standard output,
    which belongs to requests alone."""
    form = {"format": "%(levelname)s: %(message)s"} if plain else {"()": JsonLines}
    names = ("console", "access")
    return {
        "formatters": {"own": form},
        "handlers": {
            name: {"class": "logging.StreamHandler", "formatter": "own"} for name in names
        },
    }


def configure(console: Console, *, access: bool) -> None:
    """Requests as JSON lines on standard output when ``access``; everything else from INFO up as
    JSON lines on standard error, or in plain words from WARNING up on a terminal."""
    package = logging.getLogger("virtreg")
    package.propagate = False
    if console.is_terminal and not access:
        package.setLevel(logging.WARNING)
        handler = RichHandler(console=console, show_path=False)
        handler.setFormatter(Lines())
        package.handlers = [handler]
    else:
        package.setLevel(logging.INFO)
        package.handlers = [_json_to(sys.stderr)]
    logging.getLogger(SERVER).handlers = package.handlers
    requests = logging.getLogger(ACCESS)
    requests.propagate = False
    requests.disabled = not access
    requests.handlers = [_json_to(sys.stdout)] if access else []


def _json_to(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    return handler
