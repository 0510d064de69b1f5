"""Signing keys in a SQL database, sealed."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.fernet import MultiFernet
from sqlalchemy import delete, insert, select, true, update

from virtreg.backends.auth.grants.key import Key, new_key, parse_key
from virtreg.backends.signing.schema import signing_keys
from virtreg.backends.sql.database import Database
from virtreg.backends.vault import MasterKeys
from virtreg.backends.vault.sealing import Purpose, Unopened, reseal, seal, unseal
from virtreg.errors import ConfigError
from virtreg.model import Secret

_SELECT = "SELECT number, sealed FROM signing_keys ORDER BY number"


class SqlKeys:
    """A KeyShelf, and Sealed for :meth:`virtreg.backends.vault.Vault.rotate`.

    Master keys are read anew whenever something new is to be opened: they may be rotated meanwhile.
    Safe from any thread; may exist before a fork and be used after it. Who made it closes it.
    """

    def __init__(self, database: Database, keys: MasterKeys, place: str) -> None:
        """``place`` names the database in messages."""
        self._database = database
        self._keys = keys
        self._place = place
        self._opened: Mapping[tuple[int, str], Key] = {}

    def __str__(self) -> str:
        return self._place

    def read(self) -> tuple[Key, ...]:
        """Raises ConfigError for one that does not open with the master keys there are."""
        rows = [(int(number), str(sealed)) for number, sealed in self._database.rows(_SELECT, ())]
        known = self._opened
        self._opened = opened = {row: known.get(row) or self._open(*row) for row in rows}
        return tuple(opened.values())

    def add(self, number: int, now: float) -> None:
        secret = Secret(new_key(now))
        there = select(true()).where(signing_keys.c.number == number)
        with self._database.writing() as connection:
            if connection.scalar(there) is None:
                # Here, so that who rotates the master keys meets it.
                sealed = seal(secret, _purpose(number), self._keys.cipher())
                connection.execute(insert(signing_keys).values(number=number, sealed=sealed))

    def remove(self, number: int) -> bool:
        gone = delete(signing_keys).where(signing_keys.c.number == number)
        with self._database.writing() as connection:
            return connection.execute(gone).rowcount == 1

    def reseal(self, cipher: MultiFernet) -> int:
        """Seal every one with the cipher's newest key, or none; how many. Raises ConfigError,
        quoting nothing, when one does not open."""
        with self._database.writing() as connection:
            rows = connection.execute(select(signing_keys)).all()
            for number, sealed in rows:
                try:
                    again = reseal(sealed, _purpose(number), cipher)
                except Unopened as error:
                    raise ConfigError(f"signing key {number} {error}") from None
                of_number = signing_keys.c.number == number
                connection.execute(update(signing_keys).where(of_number).values(sealed=again))
        return len(rows)

    def close(self) -> None:
        """Repeatable."""
        self._database.close()

    def _open(self, number: int, sealed: str) -> Key:
        try:
            return parse_key(number, unseal(sealed, _purpose(number), self._keys.cipher()).reveal())
        except ValueError as error:
            raise ConfigError(
                f"{self}: signing key {number} {error} ({self._keys}): all nodes need the same"
                f" master keys; if those that sealed it are lost, `virtreg keys remove {number}`"
            ) from None


def _purpose(number: int) -> Purpose:
    return Purpose(f"signing-key:{number}")
