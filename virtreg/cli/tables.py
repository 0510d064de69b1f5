"""What the API shows, on a terminal: lists, single things, sizes and moments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from virtreg.cli.listing import Cell, show

as_json = click.option("--json", "as_json", is_flag=True, help="Print what the API gives, as JSON.")


def say(line: str) -> None:
    """For people: standard output is for what was asked for."""
    click.echo(line, err=True)


def dump(content: Any) -> None:
    click.echo(json.dumps(content, indent=2))


def rows(
    columns: Sequence[str],
    things: Iterable[Mapping[str, Any]],
    content: Any = None,
    *,
    as_json: bool,
) -> None:
    """A table of things, one line each; in JSON ``content``, or the things as they are."""
    things = list(things)
    if as_json:
        dump(things if content is None else content)
        return
    show(
        columns,
        [{name: cell(each.get(name)) for name in columns} for each in things],
        as_json=False,
    )


def facts(thing: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: a line for each of its facts."""
    if as_json:
        dump(thing)
        return
    width = max(map(len, thing), default=0)
    for name, value in thing.items():
        for at, line in enumerate(_lines(value)):
            click.echo(f"{'' if at else name:<{width}}  {line}".rstrip())


def cell(value: Any) -> Cell:
    """As a table takes it."""
    if isinstance(value, Mapping):
        return {str(name): str(each) for name, each in value.items()}
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return [str(each) for each in value]
    found: Cell = value
    return found


def size(number: int | None) -> str | None:
    """Of bytes, for people."""
    from rich.filesize import decimal

    return None if number is None else decimal(number)


def _lines(value: Any) -> list[str]:
    match value:
        case None:
            return ["-"]
        case bool():
            return ["yes" if value else "no"]
        case float():
            return [f"{value:g}"]
        case list():
            return [line for each in value for line in _lines(each)] or ["-"]
        case Mapping():
            if any(isinstance(each, Mapping) for each in value.values()):
                return [f"{name}: {line}" for name in value for line in _lines(value[name])]
            return [", ".join(f"{name}: {each}" for name, each in value.items()) or "-"]
        case _:
            return [str(value)]
