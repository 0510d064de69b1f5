"""From the databases of a data folder to one that nodes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from attrs import frozen
from sqlalchemy import (
    Connection,
    MetaData,
    Table,
    column,
    delete,
    func,
    insert,
    select,
    table,
    true,
)

from virtreg.backends import catalog, directory, signing
from virtreg.backends.catalog.schema import catalog_tables, numbers
from virtreg.backends.directory.schema import access_tables, revisions
from virtreg.backends.index.ledgers import DOWNLOADS, INDEX
from virtreg.backends.index.schema import download_tables, index_tables, journal, leases
from virtreg.backends.signing.schema import signing_tables
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.migrate import Ledger
from virtreg.backends.sql.opening import open_durable, open_shared
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.sql.types import Text
from virtreg.errors import Conflict

_BATCH: Final = 1000

_BEGUN: Final = (numbers, revisions, journal)
"""Tables that have rows before anything is kept."""

_MEANWHILE: Final = (leases,)
"""Tables that say nothing to another server."""


@frozen
class Part:
    """What is kept together."""

    ledger: Ledger
    tables: MetaData
    file: str | None
    """Its name in a data folder; None: it is no database there."""


PARTS: Final[Mapping[str, Part]] = {
    "index": Part(INDEX, index_tables, "index.sqlite"),
    "downloads": Part(DOWNLOADS, download_tables, "downloads.sqlite"),
    "registries": Part(catalog.LEDGER, catalog_tables, catalog.FILE),
    "users and tokens": Part(directory.LEDGER, access_tables, directory.FILE),
    "signing keys": Part(signing.LEDGER, signing_tables, None),
}
"""By names for people."""


def copy(
    folder: Path,
    server: DatabaseServer,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Mapping[str, int]:
    """Copy what the databases in a folder hold to an empty one: all of it or nothing. How many
    rows, by part.

    Brings both to this version first. ``progress`` is told the part, and how many of how many rows
    are copied. What is written to the folder meanwhile may be missing. Raises Conflict unless the
    database is empty, ConfigError and StorageError.
    """
    for part in PARTS.values():
        open_shared(server, part.ledger, Trouble("the database")).close()
    copied: dict[str, int] = {}
    # One ledger's database object does for all: they share connections and schema.
    target = open_shared(server, INDEX, Trouble("the database"))
    with closing(target), target.migrating() as connection:
        _need_empty(connection, str(server))
        for name, part in PARTS.items():
            if part.file is not None and (folder / part.file).is_file():
                copied[name] = _copy_part(folder / part.file, name, part, connection, progress)
    return copied


def _copy_part(
    file: Path,
    name: str,
    part: Part,
    target: Connection,
    progress: Callable[[str, int, int], None],
) -> int:
    database = open_durable(file, part.ledger, Trouble(str(file)))
    tables = [each for each in part.tables.sorted_tables if each not in _MEANWHILE]
    done = 0
    with closing(database), database.reading() as source:
        total = sum(source.scalar(select(func.count()).select_from(each)) or 0 for each in tables)
        progress(name, 0, total)
        for each in tables:
            target.execute(delete(each))
            for rows in _batches(source, each):
                target.execute(insert(each), rows)
                done += len(rows)
                progress(name, done, total)
            _go_on_counting(source, target, each)
    return done


def _batches(source: Connection, each: Table) -> Iterator[list[dict[str, object]]]:
    found = source.execution_options(yield_per=_BATCH).execute(select(each))
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _go_on_counting(source: Connection, target: Connection, each: Table) -> None:
    """Ids that were given are not given again, whether or not they are still there."""
    if not each.dialect_options["sqlite"]["autoincrement"]:
        return
    counted = table("sqlite_sequence", column("name", Text), column("seq"))
    last = source.scalar(select(counted.c.seq).where(counted.c.name == each.name))
    if last:
        (key,) = each.primary_key.columns
        sequence = func.pg_get_serial_sequence(each.name, key.name)
        target.execute(select(func.setval(sequence, last)))


def _need_empty(target: Connection, place: str) -> None:
    """Raises Conflict."""
    for name, part in PARTS.items():
        for each in part.tables.sorted_tables:
            if each in _BEGUN or each in _MEANWHILE:
                continue
            if target.scalar(select(true()).select_from(each).limit(1)) is not None:
                raise Conflict(f"{place} holds {name} already: only an empty database is copied to")
