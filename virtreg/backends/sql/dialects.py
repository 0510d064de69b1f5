"""What each database spells in its own way, for statements that mean the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, TableValuedAlias, bindparam, column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from virtreg.backends.sql.types import Text
from virtreg.errors import InvalidRequest

Insert = sqlite.Insert | postgresql.Insert


def insert(dialect: Dialect, table: Table) -> Insert:
    """An INSERT that may say what happens on a conflict. ``dialect``: of a connection or a
    database."""
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


class Pairs(FunctionElement[Any]):
    """Rows of two texts, ``first`` and ``second``, to join a table with; the parameter ``pairs``
    is made by :func:`pairs`. As a list to compare with, SQLite would read the whole table."""

    inherit_cache = True
    name = "pairs"


def paired() -> TableValuedAlias:
    """:class:`Pairs` as a table."""
    function = Pairs(bindparam("pairs", type_=Text))
    return function.table_valued(column("first", Text), column("second", Text), name="pairs")


def pairs(items: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The parameter of a statement with :func:`paired`. Raises InvalidRequest."""
    if any("\0" in text for item in items for text in item):
        raise InvalidRequest("text with a NUL character")
    return {"pairs": json.dumps(items, ensure_ascii=False)}


@compiles(Pairs, "sqlite")
def _sqlite_pairs(element: Pairs, compiler: SQLCompiler, **context: Any) -> str:
    given = compiler.process(element.clauses, **context)
    columns = "json_extract(value, '$[0]') AS first, json_extract(value, '$[1]') AS second"
    return f"(SELECT {columns} FROM json_each({given}))"  # noqa: S608 - its own placeholder


@compiles(Pairs, "postgresql")
def _postgresql_pairs(element: Pairs, compiler: SQLCompiler, **context: Any) -> str:
    given = compiler.process(element.clauses, **context)
    rows = f"json_array_elements(CAST({given} AS json))"
    return f"(SELECT value ->> 0 AS first, value ->> 1 AS second FROM {rows})"  # noqa: S608 - as above
