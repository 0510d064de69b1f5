"""The SQL directory on SQLite keeps the contract, and what is special about its file."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from tests.backends.places import Place, differences, place
from virtreg.backends.auth.secret_text import digest_of
from virtreg.backends.directory import FILE, LEDGER, SqlDirectory, open_directory
from virtreg.backends.directory.schema import access_tables
from virtreg.core.identity import Role, Token, TokenKind, User
from virtreg.errors import ConfigError, Conflict, InvalidRequest, StorageError
from virtreg.testing.directories import DirectorySuite, deploy, personal

FORK = """
import os, sys
from virtreg.backends.directory import open_directory
from virtreg.core.identity import User
directory = open_directory(sys.argv[1])
directory.save_user(User("parent"))
before = directory.revision()
child = os.fork()
if child == 0:
    assert directory.revision() == before
    directory.save_user(User("child"))
    directory.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
assert directory.revision() > before
assert [user.name for user in directory.users()] == ["child", "parent"]
directory.close()
"""


__all__ = ["place"]


class TestSqlDirectory(DirectorySuite):
    @pytest.fixture(autouse=True)
    def _placed(self, place: Place) -> None:
        self.place = place

    def make_directory(self, folder: Path) -> SqlDirectory:
        return open_directory(folder if isinstance(self.place, Path) else self.place)


@pytest.fixture
def directory(place: Place) -> Iterator[SqlDirectory]:
    with closing(open_directory(place)) as directory:
        directory.save_user(User("anna"))
        directory.add_group("builds")
        yield directory


def test_the_migrations_make_the_declared_tables(directory: SqlDirectory) -> None:
    assert differences(directory._database, LEDGER, access_tables) == []


def test_what_was_saved_is_there_after_reopening(tmp_path: Path) -> None:
    with closing(open_directory(tmp_path)) as directory:
        directory.save_user(User("anna"))
        directory.add_token(personal(1), digest_of("secret"))
        before = directory.revision()
    with closing(open_directory(str(tmp_path))) as directory:
        assert directory.token(digest_of("secret")) == personal(1)
        assert directory.revision() == before


def test_a_change_of_another_process_is_seen_in_the_revision(
    directory: SqlDirectory, place: Place
) -> None:
    with closing(open_directory(place)) as other:
        changes: list[Callable[[], object]] = [
            lambda: other.set_role("builds", "anna", Role.GUEST),
            lambda: other.add_token(personal(1), digest_of("1")),
            lambda: other.revoke_token("t1", 50.0),
        ]
        for change in changes:
            before = directory.revision()
            change()
            assert directory.revision() == other.revision() > before
        before = directory.revision()
        other.used_tokens({"t1": 60.0})
        assert directory.revision() == before


def test_a_change_is_committed_before_it_is_announced(
    directory: SqlDirectory, place: Place
) -> None:
    seen: list[User | None] = []
    with closing(open_directory(place)) as other:
        directory.on_change(lambda: seen.append(other.user("bert")))
        directory.save_user(User("bert"))
    assert seen == [User("bert")]


def test_a_directory_opened_before_a_fork_works_on_both_sides(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", FORK, str(tmp_path)], check=True)


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with closing(open_directory(folder)) as directory:
        directory.save_user(User("anna"))
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert found == {FILE: 0o600, f"{FILE}-wal": 0o600, f"{FILE}-shm": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_write_waits_for_the_disk(directory: SqlDirectory, place: Place) -> None:
    asked = "PRAGMA synchronous" if isinstance(place, Path) else "SHOW synchronous_commit"
    with directory._database.reading() as connection:
        assert connection.exec_driver_sql(asked).scalar() in (2, "on")


def test_of_two_last_uses_the_later_is_kept(directory: SqlDirectory) -> None:
    directory.add_token(personal(1), digest_of("1"))
    directory.used_tokens({"t1": 80.0})
    directory.used_tokens({"t1": 70.0})
    assert directory.token_by_id("t1") == evolve(personal(1), last_used_at=80.0)


def test_the_username_of_a_revoked_deploy_token_is_free_again(directory: SqlDirectory) -> None:
    directory.add_token(deploy(1, "puller"), digest_of("1"))
    with pytest.raises(Conflict, match="the username 'puller' in the group 'builds'"):
        directory.add_token(deploy(2, "puller"), digest_of("2"))
    directory.revoke_token("t1", 50.0)
    directory.add_token(deploy(2, "puller"), digest_of("2"))
    assert [token.id for token in directory.tokens()] == ["t2", "t1"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "must have 1 to 255 characters, not 0"),
        ("a" * 256, "must have 1 to 255 characters, not 256"),
        ("a:b", "must not hold blanks or ':'"),
        ("a b", "must not hold blanks or ':'"),
        ("a\u00a0b", "must hold printable characters alone"),
        ("a\nb", "must hold printable characters alone"),
        ("a\x1b[2J", "must hold printable characters alone"),
        ("\udc80", "must hold printable characters alone"),
        ("gitlab-ci-token", "is reserved"),
        ("anonymous", "is reserved"),
    ],
)
def test_what_cannot_be_a_name_is_refused(directory: SqlDirectory, name: str, problem: str) -> None:
    before = directory.revision()
    with pytest.raises(InvalidRequest, match=re.escape(problem)) as caught:
        directory.save_user(User(name))
    assert caught.value.message.startswith("user")
    with pytest.raises(InvalidRequest, match=re.escape(problem)):
        directory.add_group(name)
    with pytest.raises(InvalidRequest, match=re.escape(problem)):
        directory.add_token(deploy(1, name), digest_of("1"))
    assert directory.revision() == before


@pytest.mark.parametrize("name", ["anna", "anna@example.org", "DOMAIN\\anna", "Jürgen", "a" * 255])
def test_a_name_may_be_what_other_systems_have(directory: SqlDirectory, name: str) -> None:
    directory.save_user(User(name))
    assert directory.user(name) == User(name)


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "\x1b[2J"])
def test_the_name_of_a_token_fits_on_a_line(directory: SqlDirectory, name: str) -> None:
    with pytest.raises(InvalidRequest, match="token name"):
        directory.add_token(evolve(personal(1), name=name), digest_of("1"))


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        (evolve(personal(1), group="builds"), "a personal token has not a group"),
        (evolve(personal(1), role=Role.GUEST), "a personal token has not a role"),
        (evolve(deploy(1, "puller"), group=None), "a deploy token needs a group"),
        (evolve(deploy(1, "puller"), kind=TokenKind.GROUP), "a group token needs a role"),
    ],
)
def test_a_token_has_what_its_kind_has(directory: SqlDirectory, token: Token, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        directory.add_token(token, digest_of("1"))


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_change_that_fails_halfway_changes_nothing(directory: SqlDirectory, place: Place) -> None:
    directory.add_token(personal(1), digest_of("secret"))
    before = directory.revision()
    assert isinstance(place, Path)
    with closing(sqlite3.connect(place / FILE)) as connection:
        connection.execute(
            "CREATE TRIGGER refuse BEFORE DELETE ON tokens BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(StorageError) as caught:
        directory.remove_user("anna")
    assert caught.value.message == "cannot write the access database: SQLITE_CONSTRAINT_TRIGGER"
    assert directory.user("anna") == User("anna")
    assert directory.revision() == before


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    open_directory(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("UPDATE virtreg_access_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(ConfigError, match=r"access\.sqlite was made by a newer version"):
        open_directory(tmp_path)


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot use the folder .*/file: File exists"):
        open_directory(tmp_path / "file")
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    named = f"cannot use the folder {tmp_path}: cannot open the access database: SQLITE_NOTADB"
    with pytest.raises(StorageError, match=re.escape(named)):
        open_directory(tmp_path)


def test_a_closed_directory_says_so(directory: SqlDirectory) -> None:
    directory.close()
    directory.close()
    with pytest.raises(StorageError, match="the access database is closed"):
        directory.users()
