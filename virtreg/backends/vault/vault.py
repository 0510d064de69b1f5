"""Named secrets in one file of the data folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from attrs import evolve, field, frozen
from cryptography.fernet import MultiFernet

from virtreg.backends.vault.contents import Row, parse, printed
from virtreg.backends.vault.files import alone_in, write_private
from virtreg.backends.vault.keys import MasterKeys
from virtreg.backends.vault.sealing import Purpose, Unopened, reseal, seal, unseal
from virtreg.errors import ConfigError, Forbidden, NotFound, StorageError
from virtreg.model import Secret


@frozen
class Kept:
    """What may be told of a secret."""

    name: str
    upstream: str | None
    """The only one it is for; None: any."""
    set_at: float


class Sealed(Protocol):
    """What else is sealed with the keys of a vault."""

    def reseal(self, cipher: MultiFernet) -> int:
        """Seal all of it with the newest key, or nothing; how much. Raises ConfigError when
        something does not open."""
        ...


@frozen
class Vault:
    """The secrets of one data folder. Safe from many threads and processes.

    Every call reads the file anew: secrets are asked for while starting. Raises ConfigError when
    the keys or the file cannot be used, and StorageError when the folder cannot. No message holds
    a value or a key.
    """

    folder: Path
    keys: MasterKeys
    clock: Callable[[], float] = field(default=time.time, repr=False)
    """Seconds since the epoch."""

    @property
    def path(self) -> Path:
        return self.folder / "secrets.json"

    def read(self, name: str, upstream: str | None = None) -> Secret:
        """The value, for use by an upstream. Raises NotFound, and Forbidden when it is for
        another upstream."""
        try:
            return self._opened(name, upstream)
        except ConfigError:
            # Keys were renewed between the two reads: now both are of after that.
            return self._opened(name, upstream)

    def _opened(self, name: str, upstream: str | None) -> Secret:
        row = self._row(self._rows(), name)
        if row.upstream not in (None, upstream):
            raise Forbidden(f"secret {name!r} is for upstream {row.upstream!r} alone")
        with self._named(name):
            return unseal(row.sealed, Purpose(name, row.upstream), self.keys.cipher())

    def kept(self) -> list[Kept]:
        """All there are, by name; needs no key."""
        return [Kept(name, row.upstream, row.set_at) for name, row in sorted(self._rows().items())]

    def set(self, name: str, value: Secret, upstream: str | None = None) -> None:
        """Insert or replace. Makes the file of keys when there is nothing yet that another key
        has sealed."""
        with self._alone():
            rows = self._rows()
            cipher = self.keys.cipher() if rows else self.keys.make()
            sealed = seal(value, Purpose(name, upstream), cipher)
            self._write({**rows, name: Row(sealed, upstream, self.clock())})

    def remove(self, name: str) -> None:
        """Raises NotFound."""
        with self._alone():
            rows = self._rows()
            self._row(rows, name)
            self._write({other: row for other, row in rows.items() if other != name})

    def rotate(self, *, forget_old: bool = False, beside: Sequence[Sealed] = ()) -> int:
        """Seal everything with a new key, and what is ``beside``; the number of secrets.

        Old keys stay in the file of keys, so that copies of the secrets made before can be opened,
        unless they are to be forgotten. All or nothing: when one secret does not open, nothing is
        changed, and at whatever point the process ends, every secret opens.
        """
        with self._alone():
            rows = self._rows()
            self._resealed(rows)
            if beside:
                # With the old key: what does not open is known while nothing has changed.
                old = self.keys.cipher()
                for each in beside:
                    each.reseal(old)
            self.keys.renew()
            new = self.keys.cipher()
            number = len(rows) + sum(each.reseal(new) for each in beside)
            self._write(self._resealed(rows))
            if forget_old:
                self.keys.forget_old()
            return number

    def _resealed(self, rows: Mapping[str, Row]) -> dict[str, Row]:
        cipher = self.keys.cipher()
        done: dict[str, Row] = {}
        for name, row in rows.items():
            with self._named(name):
                done[name] = evolve(
                    row, sealed=reseal(row.sealed, Purpose(name, row.upstream), cipher)
                )
        return done

    def _row(self, rows: Mapping[str, Row], name: str) -> Row:
        if name not in rows:
            how = f"`virtreg secrets set {name}` keeps one"
            raise NotFound(f"there is no secret {name!r} in {self.path}; {how}")
        return rows[name]

    def _rows(self) -> dict[str, Row]:
        try:
            return parse(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(f"cannot read {self.path}: {error.strerror}") from None
        except ValueError as error:
            raise ConfigError(f"{self.path}: {error}") from None

    def _write(self, rows: Mapping[str, Row]) -> None:
        write_private(self.path, printed(rows))

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        try:
            yield
        except Unopened as error:
            raise ConfigError(f"{self.path}: secret {name!r} {error} ({self.keys})") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folders = [self.folder]
            if self.keys.given is None:
                folders.append(self.keys.path.parent)
            with alone_in(*folders):
                yield
        except OSError as error:
            where = error.filename or self.path
            raise StorageError(f"cannot change {where}: {error.strerror}") from None
