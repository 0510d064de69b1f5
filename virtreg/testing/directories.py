"""The contract of a Directory, as tests. Subclass the suite and say how to make one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from attrs import evolve

from virtreg.backends.auth.secret_text import digest_of
from virtreg.core.identity import Group, Role, Token, TokenKind, TokenScope, User
from virtreg.errors import Conflict, NotFound
from virtreg.protocols import Announces, Directory

PULL = frozenset({TokenScope.READ_VIRTUAL_REGISTRY})


def personal(number: int, user: str = "anna") -> Token:
    """A personal token with the id ``t<number>``, made at ``number``."""
    return Token(
        id=f"t{number}",
        kind=TokenKind.PERSONAL,
        name=f"token {number}",
        username=user,
        scopes=PULL,
        created_at=float(number),
    )


def deploy(number: int, username: str, group: str = "builds") -> Token:
    """A deploy token with the id ``t<number>``, made at ``number``."""
    return evolve(personal(number, username), kind=TokenKind.DEPLOY, group=group)


class DirectorySuite:
    """Subclass as ``class TestMyDirectory(DirectorySuite)`` and override
    :meth:`make_directory`."""

    def make_directory(self, folder: Path) -> Directory:
        """A new, empty directory that can be changed; ``folder`` is empty and the test's own."""
        raise NotImplementedError

    @pytest.fixture
    def directory(self, tmp_path: Path) -> Iterator[Directory]:
        folder = tmp_path / "directory"
        folder.mkdir()
        with closing(self.make_directory(folder)) as directory:
            yield directory

    @pytest.fixture
    def peopled(self, directory: Directory) -> Directory:
        """With the users anna and bert, and the groups builds and tools."""
        for user in ("anna", "bert"):
            directory.save_user(User(user))
        for group in ("builds", "tools"):
            directory.add_group(group)
        return directory

    def test_nobody_is_there_at_first(self, directory: Directory) -> None:
        assert (directory.users(), directory.groups(), directory.tokens()) == ([], [], [])
        assert directory.user("anna") is None
        assert directory.group("builds") is None
        assert directory.token(digest_of("secret")) is None
        assert directory.token_by_id("t1") is None
        assert (directory.roles("anna"), directory.members("builds")) == ({}, {})

    def test_users_come_by_name_as_they_were_saved(self, directory: Directory) -> None:
        saved = [User("bert", blocked=True), User("anna", administrator=True), User("carl")]
        for user in saved:
            directory.save_user(user)
        assert directory.users() == sorted(saved, key=lambda user: user.name)
        assert directory.user("bert") == saved[0]
        assert directory.user("Bert") is None

    def test_a_saved_user_is_replaced_by_name_and_stays_a_member(self, peopled: Directory) -> None:
        peopled.set_role("builds", "anna", Role.OWNER)
        peopled.add_token(personal(1), digest_of("secret"))
        peopled.save_user(User("anna", administrator=True, blocked=True))
        assert peopled.users() == [User("anna", administrator=True, blocked=True), User("bert")]
        assert peopled.roles("anna") == {"builds": Role.OWNER}
        assert peopled.token(digest_of("secret")) == personal(1)

    def test_a_removed_user_takes_memberships_and_tokens_along(self, peopled: Directory) -> None:
        for user in ("anna", "bert"):
            peopled.set_role("builds", user, Role.GUEST)
        job = evolve(personal(2), kind=TokenKind.JOB)
        kept = [personal(3, "bert"), deploy(4, "puller")]
        for token in (personal(1), job, *kept):
            peopled.add_token(token, digest_of(token.id))
        peopled.remove_user("anna")
        assert peopled.user("anna") is None
        assert peopled.members("builds") == {"bert": Role.GUEST}
        assert peopled.roles("anna") == {}
        assert peopled.token(digest_of("t1")) is None
        assert peopled.token_by_id("t2") is None
        assert peopled.tokens() == kept[::-1]
        with pytest.raises(NotFound, match="anna"):
            peopled.remove_user("anna")

    def test_groups_come_by_id_and_are_on(self, directory: Directory) -> None:
        added = [directory.add_group(name) for name in ("tools", "builds", "apps")]
        assert directory.groups() == sorted(added, key=lambda group: group.id)
        assert [group.name for group in added] == ["tools", "builds", "apps"]
        assert len({group.id for group in added}) == 3
        assert all(group.enabled for group in added)
        assert directory.group("builds") == added[1]

    def test_a_group_is_added_once(self, peopled: Directory) -> None:
        before = peopled.groups()
        with pytest.raises(Conflict, match="builds"):
            peopled.add_group("builds")
        assert peopled.groups() == before

    def test_a_group_is_switched_off_and_on(self, peopled: Directory) -> None:
        before = peopled.group("builds")
        assert before is not None
        peopled.switch_group("builds", False)
        assert peopled.group("builds") == Group(before.id, "builds", enabled=False)
        assert [group.enabled for group in peopled.groups()] == [False, True]
        peopled.switch_group("builds", True)
        assert peopled.group("builds") == before
        with pytest.raises(NotFound, match="nowhere"):
            peopled.switch_group("nowhere", False)

    def test_roles_are_seen_from_both_sides(self, peopled: Directory) -> None:
        peopled.set_role("builds", "anna", Role.GUEST)
        peopled.set_role("builds", "bert", Role.OWNER)
        peopled.set_role("tools", "anna", Role.MAINTAINER)
        peopled.set_role("builds", "anna", Role.DEVELOPER)
        assert peopled.roles("anna") == {"builds": Role.DEVELOPER, "tools": Role.MAINTAINER}
        assert peopled.members("builds") == {"anna": Role.DEVELOPER, "bert": Role.OWNER}
        peopled.set_role("builds", "anna", None)
        peopled.set_role("tools", "bert", None)
        assert peopled.roles("anna") == {"tools": Role.MAINTAINER}
        assert peopled.members("builds") == {"bert": Role.OWNER}

    @pytest.mark.parametrize("role", [Role.GUEST, None])
    def test_a_role_needs_a_group_and_a_user(self, peopled: Directory, role: Role | None) -> None:
        with pytest.raises(NotFound, match="nobody"):
            peopled.set_role("builds", "nobody", role)
        with pytest.raises(NotFound, match="nowhere"):
            peopled.set_role("nowhere", "anna", role)
        assert peopled.members("builds") == {}

    def test_a_token_comes_back_field_by_field(self, peopled: Directory) -> None:
        whole = Token(
            id="t1",
            kind=TokenKind.GROUP,
            name="nightly ✓",
            username="robot",
            scopes=frozenset(TokenScope),
            created_at=1.25,
            group="builds",
            role=Role.DEVELOPER,
            expires_at=2.5,
            revoked_at=1.5,
            last_used_at=1.75,
        )
        bare = evolve(personal(2), scopes=frozenset())
        peopled.add_token(whole, digest_of("first"))
        peopled.add_token(bare, digest_of("second"))
        assert peopled.token(digest_of("first")) == whole == peopled.token_by_id("t1")
        assert peopled.token(digest_of("second")) == bare == peopled.token_by_id("t2")
        assert peopled.token("first") is None

    def test_tokens_come_newest_first(self, peopled: Directory) -> None:
        for number in (2, 3, 1):
            peopled.add_token(personal(number), digest_of(f"{number}"))
        assert peopled.tokens() == [personal(number) for number in (3, 2, 1)]

    def test_an_id_and_a_secret_are_one_tokens_own(self, peopled: Directory) -> None:
        peopled.add_token(personal(1), digest_of("secret"))
        with pytest.raises(Conflict, match="t1"):
            peopled.add_token(personal(1, "bert"), digest_of("other"))
        with pytest.raises(Conflict) as caught:
            peopled.add_token(personal(2), digest_of("secret"))
        assert digest_of("secret") not in caught.value.message
        assert peopled.tokens() == [personal(1)]

    def test_a_username_is_one_deploy_tokens_own_in_its_group(self, peopled: Directory) -> None:
        peopled.add_token(deploy(1, "puller"), digest_of("1"))
        with pytest.raises(Conflict):
            peopled.add_token(deploy(2, "puller"), digest_of("2"))
        peopled.add_token(deploy(3, "puller", "tools"), digest_of("3"))
        peopled.add_token(deploy(4, "other"), digest_of("4"))
        for number in (5, 6):
            peopled.add_token(personal(number), digest_of(f"{number}"))
        assert [token.id for token in peopled.tokens()] == ["t6", "t5", "t4", "t3", "t1"]

    def test_a_token_needs_its_user_or_its_group(self, peopled: Directory) -> None:
        with pytest.raises(NotFound, match="nobody"):
            peopled.add_token(personal(1, "nobody"), digest_of("1"))
        with pytest.raises(NotFound, match="nowhere"):
            peopled.add_token(deploy(2, "puller", "nowhere"), digest_of("2"))
        assert peopled.tokens() == []

    def test_a_token_is_revoked_once_and_stays_to_be_seen(self, peopled: Directory) -> None:
        peopled.add_token(personal(1), digest_of("secret"))
        peopled.add_token(personal(2), digest_of("other"))
        peopled.revoke_token("t1", 50.0)
        peopled.revoke_token("t1", 60.0)
        assert peopled.token(digest_of("secret")) == evolve(personal(1), revoked_at=50.0)
        assert peopled.token_by_id("t2") == personal(2)
        with pytest.raises(NotFound, match="t9"):
            peopled.revoke_token("t9", 50.0)

    def test_the_last_use_of_tokens_is_remembered(self, peopled: Directory) -> None:
        for number in (1, 2):
            peopled.add_token(personal(number), digest_of(f"{number}"))
        peopled.used_tokens({})
        peopled.used_tokens({"t1": 70.0, "unknown": 70.0})
        assert peopled.token_by_id("t1") == evolve(personal(1), last_used_at=70.0)
        assert peopled.token_by_id("t2") == personal(2)
        assert peopled.token_by_id("unknown") is None
        peopled.used_tokens({"t1": 80.0, "t2": 75.0})
        assert [token.last_used_at for token in peopled.tokens()] == [75.0, 80.0]

    def test_the_revision_grows_with_every_change(self, directory: Directory) -> None:
        changes: list[Callable[[], object]] = [
            lambda: directory.save_user(User("anna")),
            lambda: directory.save_user(User("anna", blocked=True)),
            lambda: directory.add_group("builds"),
            lambda: directory.switch_group("builds", False),
            lambda: directory.set_role("builds", "anna", Role.GUEST),
            lambda: directory.set_role("builds", "anna", None),
            lambda: directory.add_token(personal(1), digest_of("1")),
            lambda: directory.revoke_token("t1", 50.0),
            lambda: directory.remove_user("anna"),
        ]
        seen = [directory.revision()]
        for change in changes:
            change()
            seen.append(directory.revision())
        assert seen == sorted(set(seen))

    def test_the_revision_stays_when_nothing_but_uses_changes(self, peopled: Directory) -> None:
        peopled.add_token(personal(1), digest_of("1"))
        before = peopled.revision()
        peopled.used_tokens({"t1": 70.0})
        peopled.users()
        peopled.token(digest_of("1"))
        refused: list[Callable[[], object]] = [
            lambda: peopled.remove_user("nobody"),
            lambda: peopled.switch_group("nowhere", True),
            lambda: peopled.set_role("nowhere", "anna", Role.GUEST),
            lambda: peopled.revoke_token("t9", 50.0),
            lambda: peopled.add_group("builds"),
            lambda: peopled.add_token(personal(1), digest_of("2")),
        ]
        for change in refused:
            with pytest.raises((NotFound, Conflict)):
                change()
        assert peopled.revision() == before

    def test_changes_are_announced_once_they_can_be_seen(self, peopled: Directory) -> None:
        if not isinstance(peopled, Announces):
            pytest.skip("this directory does not announce changes")
        told: list[None] = []
        peopled.on_change(lambda: told.append(None))
        changes: list[Callable[[], object]] = [
            lambda: peopled.save_user(User("anna", blocked=True)),
            lambda: peopled.switch_group("builds", False),
            lambda: peopled.set_role("builds", "anna", Role.GUEST),
            lambda: peopled.add_token(personal(1), digest_of("1")),
            lambda: peopled.revoke_token("t1", 50.0),
            lambda: peopled.remove_user("anna"),
        ]
        for number, change in enumerate(changes, 1):
            change()
            assert len(told) == number
        peopled.used_tokens({"t1": 70.0})
        peopled.tokens()
        with pytest.raises(NotFound):
            peopled.remove_user("anna")
        assert len(told) == len(changes)

    def test_threads_that_change_at_once_lose_nothing(self, peopled: Directory) -> None:
        before = peopled.revision()
        start = Barrier(4)

        def change(thread: int) -> None:
            start.wait()
            for step in range(10):
                number = 10 * thread + step
                peopled.save_user(User(f"user{number}"))
                peopled.set_role("builds", f"user{number}", Role.GUEST)
                peopled.add_token(personal(number, f"user{number}"), digest_of(f"{number}"))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(change, range(4)))
        assert len(peopled.users()) == 42
        assert len(peopled.members("builds")) == 40
        assert peopled.tokens() == [personal(n, f"user{n}") for n in reversed(range(40))]
        assert peopled.revision() >= before + 120

    def test_one_thread_of_many_takes_a_username(self, peopled: Directory) -> None:
        start = Barrier(4)

        def take(number: int) -> bool:
            start.wait()
            try:
                peopled.add_token(deploy(number, "puller"), digest_of(f"{number}"))
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(take, range(4))) == 1
        assert len(peopled.tokens()) == 1
