"""Signing keys in a database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.backends.places import Place, differences, place
from virtreg.backends.auth.grants import Keys
from virtreg.backends.signing import LEDGER, TROUBLE, SqlKeys
from virtreg.backends.signing.schema import signing_keys, signing_tables
from virtreg.backends.sql.database import Database
from virtreg.backends.sql.opening import open_durable, open_shared
from virtreg.backends.vault import MasterKeys, Vault, new_key
from virtreg.errors import ConfigError, NotFound
from virtreg.testing.fakes import FakeClock

__all__ = ["place"]


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    """SQLite stands for any other in the unit layer."""
    if isinstance(place, Path):
        opened = open_durable(place / "keys.sqlite", LEDGER, TROUBLE)
    else:
        opened = open_shared(place, LEDGER, TROUBLE, alone="signing keys")
    with closing(opened) as database:
        yield database


@pytest.fixture
def master() -> MasterKeys:
    return MasterKeys(Path("none"), new_key(), shared=True)


@pytest.fixture
def shelf(database: Database, master: MasterKeys) -> SqlKeys:
    return SqlKeys(database, master, "the database")


def test_the_migrations_make_the_declared_tables(database: Database) -> None:
    assert differences(database, LEDGER, signing_tables) == []


def test_all_nodes_sign_with_one_key(
    shelf: SqlKeys, database: Database, master: MasterKeys
) -> None:
    other = SqlKeys(database, master, "the database")
    first = Keys(shelf).newest()
    assert Keys(other).newest() == first
    assert Keys(shelf).newest() == first


def test_threads_that_start_and_rotate_at_once_lose_no_key(shelf: SqlKeys) -> None:
    def work(_: int) -> Keys:
        keys = Keys(shelf)
        keys.rotate()
        return keys

    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(work, range(8)))
    after = Keys(shelf)
    assert all(after.find(keys.newest().kid) is not None for keys in every)


def test_a_rotation_and_a_removal_elsewhere_are_seen_within_a_second(
    shelf: SqlKeys, database: Database, master: MasterKeys
) -> None:
    clock = FakeClock()
    keys = Keys(shelf, clock)
    old = keys.newest()
    elsewhere = Keys(SqlKeys(database, master, ""), clock)
    made = elsewhere.rotate()
    clock.advance(1)
    assert keys.newest() == made
    assert keys.find(old.kid) == old
    elsewhere.remove(1)
    clock.advance(1)
    assert keys.find(old.kid) is None
    with pytest.raises(NotFound, match="the database: there is no signing key 1"):
        keys.remove(1)


def test_nothing_of_a_key_can_be_read_from_the_database(shelf: SqlKeys, database: Database) -> None:
    Keys(shelf)
    ((number, sealed),) = database.rows("SELECT number, sealed FROM signing_keys", ())
    assert number == 1
    assert sealed.startswith("gAAAA")  # Fernet's version


def test_without_a_master_key_none_is_made(database: Database, tmp_path: Path) -> None:
    unset = SqlKeys(database, MasterKeys(tmp_path / "secret.key", shared=True), "the database")
    with pytest.raises(ConfigError, match="all nodes of a database need the same keys"):
        Keys(unset)
    assert not (tmp_path / "secret.key").exists()
    assert unset.read() == ()


def test_a_node_with_another_master_key_is_told(shelf: SqlKeys, database: Database) -> None:
    Keys(shelf)
    other = SqlKeys(database, MasterKeys(Path("none"), new_key()), "the database")
    with pytest.raises(ConfigError, match="the database: signing key 1 does not open") as caught:
        Keys(other)
    assert "virtreg keys remove 1" in caught.value.message
    assert other.remove(1)
    assert not other.remove(1)
    assert Keys(other).newest().number == 1


def test_a_key_opens_under_its_own_number_alone(shelf: SqlKeys, database: Database) -> None:
    Keys(shelf)
    with database.writing() as connection:
        connection.execute(update(signing_keys).values(number=7))
    with pytest.raises(ConfigError, match="signing key 7 was sealed for another name"):
        shelf.read()


def test_master_keys_are_rotated_under_servers_that_run(
    shelf: SqlKeys, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    file = MasterKeys(tmp_path / "secret.key")
    file.make()
    ours = SqlKeys(database, file, "the database")
    running = Keys(ours, clock)
    key = running.newest()
    with caplog.at_level(logging.ERROR):
        assert Vault(tmp_path, file).rotate(forget_old=True, beside=[ours]) == 1
        clock.advance(1)
        assert running.newest() == key
    assert caplog.records == []
    assert SqlKeys(database, file, "").read() == (key,)


def test_what_does_not_open_is_left_as_it_was(shelf: SqlKeys, database: Database) -> None:
    Keys(shelf).rotate()
    with database.writing() as connection:
        connection.execute(update(signing_keys).where(signing_keys.c.number == 2).values(sealed=""))
        before = connection.execute(select(signing_keys)).all()
    with pytest.raises(ConfigError, match="signing key 2 does not open"):
        shelf.reseal(shelf._keys.cipher())
    with database.reading() as connection:
        assert connection.execute(select(signing_keys)).all() == before
