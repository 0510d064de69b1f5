from __future__ import annotations

import io

from rich.console import Console

from virtreg.cli.status import StatusLine, line


def test_the_line_names_every_total() -> None:
    stats = {"requests": 12, "hits": 9, "misses": 3, "bytes": 2_500_000, "active": 1}
    assert line(stats) == "12 requests · 9 hits · 3 misses · 2.5 MB · 1 active"


def test_what_is_not_counted_reads_zero() -> None:
    assert line({}) == "0 requests · 0 hits · 0 misses · 0 bytes · 0 active"


def test_the_last_word_on_the_terminal_is_the_last_total() -> None:
    terminal = io.StringIO()
    stats = {"requests": 1}
    status = StatusLine(Console(file=terminal, force_terminal=True, width=100), lambda: stats)
    status.start()
    stats["requests"] = 2
    status.stop()
    assert terminal.getvalue().rindex("2 requests") > terminal.getvalue().rindex("1 requests")
