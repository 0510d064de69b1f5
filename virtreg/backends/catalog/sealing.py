"""The passwords of stored upstreams, sealed each for its upstream."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen
from cryptography.fernet import MultiFernet
from sqlalchemy import Connection, select, true, update

from virtreg.backends.catalog.schema import upstreams
from virtreg.backends.sql.database import Database
from virtreg.backends.vault import MasterKeys
from virtreg.backends.vault.files import alone_in
from virtreg.backends.vault.sealing import Purpose, Unopened, reseal, seal, unseal
from virtreg.errors import ConfigError, StorageError
from virtreg.model import Secret

_log = logging.getLogger(__name__)


class Sealer:
    """Seals with the newest key there is at that moment. Safe from any thread.

    Keys are read anew whenever they are needed: they may be rotated meanwhile.
    """

    def __init__(self, keys: MasterKeys) -> None:
        self.keys = keys
        self._told: Mapping[int, str] = {}
        self._opened: Mapping[tuple[int, str], Secret] = {}

    def prepare(self) -> None:
        """Make a key unless there is one; only while nothing is sealed. Raises StorageError."""
        with _keys_untold():
            if self.keys.given is not None or self.keys.read():
                return
            try:
                with alone_in(self.keys.path.parent):
                    self.keys.make()
            except OSError as error:
                raise ConfigError(f"cannot write {self.keys.path}: {error.strerror}") from None

    def seal(self, upstream_id: int, password: Secret) -> str:
        """Raises StorageError when there is no key."""
        with _keys_untold():
            return seal(password, _purpose(upstream_id), self.keys.cipher())

    def opened(self, sealed: Mapping[int, str]) -> dict[int, Secret]:
        """The passwords by upstream. Those that do not open are missing, and why is logged: it
        names files."""
        known = self._opened
        found = {pair: known[pair] for pair in sealed.items() if pair in known}
        missing = [pair for pair in sealed.items() if pair not in known]
        failed: dict[int, str] = {}
        if missing:
            try:
                cipher = self.keys.cipher()
            except ConfigError as error:
                failed = {number: f"cannot be opened: {error.message}" for number, _ in missing}
                missing = []
            for number, text in missing:
                try:
                    found[number, text] = unseal(text, _purpose(number), cipher)
                except Unopened as error:
                    failed[number] = f"{error} ({self.keys})"
        self._opened = found
        if failed != self._told:
            self._told = failed
            for number, reason in failed.items():
                _log.error("upstream %d cannot be used: its password %s", number, reason)
        return {number: password for (number, _), password in found.items()}


@contextmanager
def _keys_untold() -> Iterator[None]:
    """Where keys are, and why they cannot be used, is for who runs the server."""
    try:
        yield
    except ConfigError as error:
        _log.error("no password can be stored: %s", error.message)
        raise StorageError("no password can be stored now; the server's log says why") from None


def any_sealed(connection: Connection) -> bool:
    """Whether some key is needed already."""
    return (
        connection.scalar(select(true()).where(upstreams.c.password.is_not(None)).limit(1)) is True
    )


@frozen
class StoredPasswords:
    """Those of all upstreams of a catalog, sealed. Safe from any thread."""

    _database: Database

    def reseal(self, cipher: MultiFernet) -> int:
        """Seal every one with the cipher's newest key, or none; how many. What was sealed before is
        gone from the files of SQLite too, unless somebody reads them all the while. Raises
        ConfigError, quoting nothing, when one does not open."""
        column = upstreams.c.password
        with self._database.writing() as connection:
            sealed = select(upstreams.c.id, column).where(column.is_not(None))
            rows = connection.execute(sealed).all()
            for number, text in rows:
                again = _resealed(number, text, cipher)
                of_id = upstreams.c.id == number
                connection.execute(update(upstreams).where(of_id).values(password=again))
        if rows:
            self._database.forget()
        return len(rows)

    def close(self) -> None:
        """Repeatable."""
        self._database.close()


def _resealed(number: int, text: str, cipher: MultiFernet) -> str:
    try:
        return reseal(text, _purpose(number), cipher)
    except Unopened as error:
        raise ConfigError(f"the password of upstream {number} {error}") from None


def _purpose(upstream_id: int) -> Purpose:
    return Purpose(f"upstream:{upstream_id}:password", str(upstream_id))
