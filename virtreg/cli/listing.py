"""Lists on standard output: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click

Cell = str | int | bool | None | Sequence[str] | Mapping[str, str]
"""As it is in JSON."""

_WIDE = 10_000
"""Columns of what is no terminal: nothing is folded there."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def show(columns: Sequence[str], rows: Sequence[Mapping[str, Cell]], *, as_json: bool) -> None:
    """Print one line per row below a head. In JSON: an array of objects, of all that the rows
    have."""
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.upper().replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_told(row[column])) for column in columns))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def utc(time: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, such as ``2027-01-31T12:00:00Z``."""
    if time is None:
        return None
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told(cell: Cell) -> str:
    match cell:
        case None:
            return "-"
        case bool():
            return "yes" if cell else "no"
        case Mapping():
            return ", ".join(f"{name}: {value}" for name, value in cell.items()) or "-"
        case str() | int():
            return str(cell)
        case _:
            return ", ".join(cell) or "-"
