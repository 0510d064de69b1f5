"""What was answered, written behind: the request path appends one tuple, a thread does the rest.

That rest is download counts in the index, running totals, and, where wanted, the request log.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from urllib.parse import quote

from virtreg.errors import StorageError
from virtreg.protocols import CountsDownloads
from virtreg.wsgi.outcomes import outcome_of

_log = logging.getLogger(__name__)
_access = logging.getLogger("virtreg.access")

Record = tuple[float, str, str, int, int, str, str, str, str, str, float | None]
"""(time, method, path as asked, status, bytes, origin, source, path in the registry, registry,
request id, seconds).

The source is empty where nothing was downloaded, the registry where no registry was asked, and the
id where the answer was ready and the caller gave none. The seconds are until the answer began; None
where it was ready."""

Measure = Callable[[str, str, str, int, float | None], None]
"""Takes ``(registry, outcome, code, bytes, seconds)`` of a record: the outcome is one of
:mod:`virtreg.wsgi.outcomes`, and the code an error's, empty for none."""

_HITS = frozenset({"hit", "revalidated", "stale"})
INTERVAL = 1.0
"""Seconds until what was added is written, and so the most that is lost with the process."""

MOST = 100_000
"""Records that wait at most, while the log or the database stands still; files too whose downloads
could not be written yet."""


class Ledger:
    """``add`` is the request path's and costs one append; everything else happens once a second
    on a thread of its own, which ``start`` starts."""

    def __init__(
        self,
        counts: object,
        *,
        access_log: bool = False,
        measure: Measure | None = None,
        measured: Callable[[], None] = lambda: None,
    ) -> None:
        """``measure`` is told of every record, and ``measured`` called after those of a second;
        both on the ledger's thread."""
        # Bounded, or a log that nobody reads would in time take all memory; the oldest go first.
        self._records: deque[Record] = deque(maxlen=MOST)
        self.add: Callable[[Record], None] = self._records.append
        self._counts = counts if isinstance(counts, CountsDownloads) else None
        self._access_log = access_log
        self._measure = measure
        self._measured = measured
        self._totals = Counter(dict.fromkeys(("requests", "hits", "misses", "errors", "bytes"), 0))
        self._served: Counter[tuple[str, bool]] = Counter()
        self._unwritten: dict[tuple[str, str], tuple[int, float]] = {}
        self._behind = False
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtreg-ledger", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def totals(self) -> Mapping[str, int]:
        """``requests``, ``hits``, ``misses``, ``errors``, ``bytes``; at most a second old."""
        return dict(self._totals)

    def served(self, source: str) -> tuple[int, int]:
        """Downloads of a source's files, ``(from the cache, from the source itself)``, since this
        process began; at most a second old."""
        return self._served[source, True], self._served[source, False]

    def flush(self) -> None:
        """Write what has been added so far."""
        with self._writing:
            self._write()

    def close(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            self.flush()

    def _write(self) -> None:
        downloads = self._unwritten
        for _ in range(len(self._records)):
            record = self._records.popleft()
            when, _method, _asked, status, size, origin, source, path, *_ = record
            self._total(status, size, origin)
            if source:
                self._served[source, origin in _HITS] += 1
            if source and ((source, path) in downloads or len(downloads) < MOST):
                times, _last = downloads.get((source, path), (0, 0.0))
                downloads[source, path] = (times + 1, when)
            if self._access_log:
                _report(record)
            if self._measure is not None:
                _measure(record, self._measure)
        try:
            self._measured()
        except Exception:  # noqa: BLE001 - figures are not worth the thread
            _log.warning("figures could not be taken", exc_info=True)
        if downloads and self._counts is not None:
            try:
                self._counts.count(downloads)
            except StorageError as error:
                # They are written with the next ones.
                if not self._behind:
                    _log.warning("downloads wait to be counted: %s", error.message)
                self._behind = True
                return
            except Exception:  # noqa: BLE001 - a plug-in's fault must not end the thread
                _log.warning("%d downloads could not be counted", len(downloads), exc_info=True)
        self._unwritten = {}
        self._behind = False

    def _total(self, status: int, size: int, origin: str) -> None:
        self._totals["requests"] += 1
        self._totals["bytes"] += size
        if status >= 500:
            self._totals["errors"] += 1
        elif origin in _HITS:
            self._totals["hits"] += 1
        elif origin:
            self._totals["misses"] += 1


def _measure(record: Record, measure: Measure) -> None:
    _when, _method, _asked, status, size, origin, _source, _path, registry, _id, seconds = record
    code = origin if status >= 500 else ""
    measure(registry, outcome_of(status, origin, ready=seconds is None), code, size, seconds)


def _report(record: Record) -> None:
    when, method, asked, status, size, origin, _source, _path, registry, request_id, _ = record
    # Escaped as in a URL: a path must not be able to begin a line of its own in a log.
    asked = quote(asked, safe="/:@!$&'()*+,;=~", encoding="latin-1", errors="replace")
    _access.info(
        "%s %s %d",
        method,
        asked,
        status,
        extra={
            "at": when,
            "method": method,
            "path": asked,
            "status": status,
            "bytes": size,
            "cache": origin,
            **({"registry": registry} if registry else {}),
            **({"request_id": request_id} if request_id else {}),
        },
    )
