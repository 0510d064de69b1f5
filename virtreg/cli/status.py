"""One line at the bottom of the terminal that says what the server has done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Console
from rich.filesize import decimal
from rich.live import Live
from rich.text import Text


class StatusLine:
    """Redraws itself once a second, on a thread of its own, between start and stop."""

    def __init__(self, console: Console, stats: Callable[[], Mapping[str, int]]) -> None:
        self._live = Live(
            console=console,
            get_renderable=lambda: Text(line(stats())),
            refresh_per_second=1,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def start(self) -> None:
        self._live.start(refresh=True)

    def stop(self) -> None:
        """Draw the line a last time and leave it there."""
        self._live.stop()


def line(stats: Mapping[str, int]) -> str:
    """The status line; a total that is not counted reads 0."""
    return " · ".join(
        (
            f"{stats.get('requests', 0)} requests",
            f"{stats.get('hits', 0)} hits",
            f"{stats.get('misses', 0)} misses",
            decimal(stats.get("bytes", 0)),
            f"{stats.get('active', 0)} active",
        )
    )
