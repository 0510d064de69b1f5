"""The catalog as it is at this moment, and changing it as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve
from sqlalchemy import Connection, select, update

from virtreg.backends.catalog import mirroring, retiring
from virtreg.backends.catalog.changing import Change
from virtreg.backends.catalog.guesses import Guesses
from virtreg.backends.catalog.limits import ManagementLimits
from virtreg.backends.catalog.schema import numbers
from virtreg.backends.catalog.schema import registries as registries_table
from virtreg.backends.catalog.sealing import Sealer
from virtreg.backends.catalog.snapshot import Snapshot, take
from virtreg.backends.sql.database import Database
from virtreg.model import RegistrySpec


class Current:
    """What :class:`virtreg.backends.catalog.sql.SqlCatalog` is made upon."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        declared: Sequence[RegistrySpec],
        clock: Callable[[], float],
        limits: ManagementLimits,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._declared = tuple(declared)
        self._clock = clock
        self._limits = limits
        self._guesses = Guesses(clock)
        self._listeners: list[Callable[[], None]] = []
        self._latest: Snapshot | None = None

    def mirror(self) -> None:
        """Let the database know what is declared. Raises ConfigError where what is stored is in the
        way. Idempotent; other processes may do it at the same time."""
        with self._database.writing() as connection:
            if mirroring.mirror(connection, self._declared, self._clock()):
                _count(connection)
            after = take(connection, self._declared, self._sealer)
            retiring.revive(connection, after)
        self._latest = after

    def declared_elsewhere(self) -> list[str]:
        """Names of registries that a server declares and this object was not told of."""
        known = {spec.name for spec in self._declared}
        statement = select(registries_table.c.slug).where(registries_table.c.declared)
        with self._database.reading() as connection:
            return sorted(set(connection.scalars(statement)) - known)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call it after every change made through this very object, before the method that made
        the change returns. Policies and settings are no such change."""
        self._listeners.append(listener)

    def revision(self) -> int:
        ((number,),) = self._database.rows("SELECT revision FROM numbers", ())
        return int(number)

    def registries(self) -> tuple[RegistrySpec, ...]:
        """Declared and stored ones, by id; some may have no upstreams, or some that are unusable
        since their passwords do not open."""
        return self._now().specs

    def announce(self) -> None:
        """Let every process know of a change that is not of the catalog, such as a cache entry that
        was removed: the revision grows."""
        with self._database.writing() as connection:
            number = _count(connection)
        latest = self._latest
        if latest is not None and latest.revision == number - 1:
            self._latest = evolve(latest, revision=number)
        self._tell()

    def close(self) -> None:
        """Close every connection of this process; repeatable."""
        self._database.close()

    def _now(self) -> Snapshot:
        latest = self._latest
        # Keys may be back meanwhile.
        if latest is not None and latest.revision == self.revision() and not latest.sealed:
            return latest
        with self._database.reading() as connection:
            now = take(connection, self._declared, self._sealer)
        self._latest = now
        return now

    def _as_of(self, connection: Connection) -> Snapshot:
        latest = self._latest
        number = connection.scalar(select(numbers.c.revision))
        if latest is not None and latest.revision == number and not latest.sealed:
            return latest
        return take(connection, self._declared, self._sealer)

    @contextmanager
    def _changing(self) -> Iterator[Change]:
        now = self._clock()
        with self._database.writing() as connection:
            before = self._as_of(connection)
            change = Change(connection, before, now, self._limits, self._sealer, self._guesses)
            yield change
            if change.idle:
                return
            _count(connection)
            change.after = take(connection, self._declared, self._sealer)
            retiring.retire(connection, before, change.after, now)
        self._latest = change.after
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _count(connection: Connection) -> int:
    """The revision that it is now."""
    grown = update(numbers).values(revision=numbers.c.revision + 1)
    number: int = connection.execute(grown.returning(numbers.c.revision)).scalar_one()
    return number
