"""Nobody is added who could be taken for somebody else."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.places import Place, place
from virtreg.backends.auth.secret_text import digest_of
from virtreg.backends.directory import FILE, SqlDirectory, open_directory
from virtreg.backends.directory.names import folded
from virtreg.core.identity import Role, TokenKind, User
from virtreg.errors import Conflict, InvalidRequest
from virtreg.testing.directories import deploy, personal

__all__ = ["place"]


@pytest.fixture
def directory(place: Place) -> Iterator[SqlDirectory]:
    with closing(open_directory(place)) as directory:
        yield directory


ALIKE = [
    ("anna", "ANNA"),
    ("Anna", "anna"),
    ("J\u00fcrgen", "ju\u0308rgen"),
    ("anna", "\uff41\uff4e\uff4e\uff41"),
    ("Stra\u00dfe", "STRASSE"),
    ("kelvin", "\u212aelvin"),
    ("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"),
    ("anna", "anna\ufe0f"),
    ("o_neil", "O_Neil"),
]


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_a_user_like_another_in_all_but_case_or_unicode_form_is_refused(
    directory: SqlDirectory, first: str, second: str
) -> None:
    for one, other in ((first, second), (second, first)):
        directory.save_user(User(one))
        before = directory.revision()
        with pytest.raises(Conflict) as caught:
            directory.save_user(User(other))
        assert repr(one) in caught.value.message
        assert "case or Unicode form" in caught.value.message
        assert (directory.users(), directory.revision()) == ([User(one)], before)
        directory.remove_user(one)


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_a_group_like_another_in_all_but_case_or_unicode_form_is_refused(
    directory: SqlDirectory, first: str, second: str
) -> None:
    added = directory.add_group(first)
    with pytest.raises(Conflict) as caught:
        directory.add_group(second)
    assert repr(first) in caught.value.message
    assert directory.groups() == [added]


def test_a_user_and_a_group_may_have_one_name(directory: SqlDirectory) -> None:
    directory.add_group("anna")
    directory.save_user(User("anna"))
    assert directory.user("anna") == User("anna")


@pytest.mark.parametrize("name", ["anne", "ann", "annaa", "a%na", "a_na", "änna", "a*"])
def test_names_that_differ_in_more_stand_side_by_side(directory: SqlDirectory, name: str) -> None:
    directory.save_user(User("anna"))
    directory.save_user(User(name))
    assert {user.name for user in directory.users()} == {"anna", name}


@pytest.mark.parametrize("name", ["Anonymous", "GITLAB-CI-TOKEN", "<TOKEN>", "\uff41nonymous"])
def test_a_reserved_name_is_reserved_in_every_spelling(directory: SqlDirectory, name: str) -> None:
    directory.add_group("builds")
    with pytest.raises(InvalidRequest, match="reserved, however it is spelled"):
        directory.save_user(User(name))
    with pytest.raises(InvalidRequest, match="reserved, however it is spelled"):
        directory.add_group(name)
    with pytest.raises(InvalidRequest, match="reserved, however it is spelled"):
        directory.add_token(deploy(1, name), digest_of("1"))


@pytest.mark.parametrize("kind", [TokenKind.DEPLOY, TokenKind.GROUP])
@pytest.mark.parametrize("username", ["anna", "Anna"])
def test_a_robot_named_like_a_user_is_refused_whoever_comes_first(
    directory: SqlDirectory, kind: TokenKind, username: str
) -> None:
    directory.add_group("builds")
    role = Role.GUEST if kind is TokenKind.GROUP else None
    robot = evolve(deploy(1, username), kind=kind, role=role)
    directory.save_user(User("anna"))
    with pytest.raises(Conflict, match=f"token username '{username}': there is a user 'anna'"):
        directory.add_token(robot, digest_of("1"))
    directory.remove_user("anna")
    directory.add_token(robot, digest_of("1"))
    with pytest.raises(Conflict, match=f"user 'anna': token t1 signs in as '{username}'"):
        directory.save_user(User("anna"))
    assert directory.users() == []
    directory.revoke_token("t1", 50.0)
    directory.save_user(User("anna"))
    directory.add_token(personal(2), digest_of("2"))


def test_who_was_there_before_stays_and_can_be_changed(tmp_path: Path) -> None:
    with closing(open_directory(tmp_path)) as directory:
        directory.save_user(User("anna"))
        directory.add_group("builds")
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        for name in ("Anna", "Anonymous"):
            connection.execute("INSERT INTO users VALUES (?, 0, 0)", (name,))
    with closing(open_directory(tmp_path)) as directory:
        for name in ("Anna", "anna", "Anonymous"):
            directory.save_user(User(name, blocked=True))
            directory.set_role("builds", name, Role.GUEST)
        directory.add_token(personal(1, "Anna"), digest_of("1"))
        assert [user.blocked for user in directory.users()] == [True, True, True]


@given(st.text(st.characters(exclude_categories=["C"])))
def test_case_and_unicode_form_make_no_difference(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert folded(unicodedata.normalize("NFC", name)) == folded(name)
    assert folded(unicodedata.normalize("NFKC", name)) == folded(name)
    decomposed = unicodedata.normalize("NFD", name)
    assert folded(decomposed.casefold()) == folded(name)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_ascii_is_put_in_lower_case(name: str) -> None:
    assert folded(name) == name.lower()
