"""What an authenticator of tokens remembers, and for how long."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from tests.backends.auth.people import OURS, PUBLIC, People, basic, bearer
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.backends.directory import open_directory
from virtreg.core.identity import Group, Token, TokenKind, User
from virtreg.errors import StorageError, Unauthenticated, VirtregError
from virtreg.model import Credentials, Scope
from virtreg.protocols import Directory
from virtreg.testing.fakes import FakeClock
from virtreg.testing.gate import Gate
from virtreg.testing.memory import MemoryDirectory


class Counted(MemoryDirectory):
    """A directory that counts what it is asked on the way in, and may be out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.broken = False
        self.stalled: Gate | None = None

    def revision(self) -> int:
        self._count("revision")
        if self.stalled is not None:
            self.stalled.arrive()
        return super().revision()

    def token(self, digest: str) -> Token | None:
        self._count("token")
        return super().token(digest)

    def user(self, name: str) -> User | None:
        self._count("user")
        return super().user(name)

    def group(self, name: str) -> Group | None:
        self._count("group")
        return super().group(name)

    def _count(self, what: str) -> None:
        self.asked[what] += 1
        if self.broken:
            raise StorageError("the directory is out of order")


class Unannounced(Counted):
    """As one whose changes are another process's."""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Nobody is told."""


class Way:
    """People, a clock, and an authenticator over them."""

    def __init__(self, *, remembered: int = 100) -> None:
        self.directory = Counted()
        self.people = People(self.directory)
        self.clock = FakeClock()
        self.authenticator = TokenAuthenticator(self.directory, self.clock, remembered=remembered)

    def admit(self, credentials: Credentials, scope: Scope = OURS) -> str:
        return self.authenticator.admit(credentials, scope).name

    def refuse(self, credentials: Credentials) -> None:
        with pytest.raises(Unauthenticated):
            self.admit(credentials)

    def tokens_asked(self, ask: Callable[[], object]) -> int:
        before = self.directory.asked["token"]
        ask()
        return self.directory.asked["token"] - before


@pytest.fixture
def way() -> Iterator[Way]:
    way = Way()
    with closing(way.authenticator):
        yield way


def test_a_known_token_asks_the_directory_nothing(way: Way) -> None:
    secret = way.people.token()
    for scope in (OURS, PUBLIC):
        way.admit(bearer(secret), scope)
        way.admit(Credentials(), PUBLIC)
    before = dict(way.directory.asked)
    for _ in range(50):
        way.admit(bearer(secret))
        way.admit(bearer(secret), PUBLIC)
        way.admit(Credentials(), PUBLIC)
    assert way.directory.asked == before


def test_the_revision_is_asked_for_once_a_second(way: Way) -> None:
    secret = way.people.token()
    for _ in range(10):
        way.admit(bearer(secret))
        way.clock.advance(0.25)
    assert way.directory.asked["revision"] == 3
    assert way.directory.asked["token"] == 1


def test_a_token_ends_at_its_very_second(way: Way) -> None:
    secret = way.people.token(expires_at=way.clock() + 10)
    assert way.admit(bearer(secret)) == "ann"
    way.clock.advance(9.75)
    assert way.admit(bearer(secret)) == "ann"
    way.clock.advance(0.25)
    way.refuse(bearer(secret))
    assert way.tokens_asked(lambda: way.refuse(bearer(secret))) == 0


def test_what_had_expired_is_good_again_when_the_clock_was_wrong(way: Way) -> None:
    secret = way.people.token(expires_at=way.clock() + 10)
    way.clock.advance(3600)
    way.refuse(bearer(secret))
    way.clock.advance(-3600)
    assert way.admit(bearer(secret)) == "ann"


@pytest.mark.parametrize(
    "change",
    [
        lambda directory: directory.revoke_token("t1", 5.0),
        lambda directory: directory.save_user(User("ann", blocked=True)),
        lambda directory: directory.remove_user("ann"),
    ],
    ids=["revoked", "blocked", "removed"],
)
def test_a_change_in_this_process_counts_at_once(
    way: Way, change: Callable[[Directory], None]
) -> None:
    secret = way.people.token()
    assert way.admit(bearer(secret)) == "ann"
    change(way.directory)
    way.refuse(bearer(secret))


def test_a_token_that_was_unknown_is_known_as_soon_as_it_is_there(way: Way) -> None:
    secret = way.people.token()
    others = way.people.token()
    way.refuse(bearer(secret + "x"))
    way.directory.revoke_token("t2", 5.0)
    way.refuse(bearer(others))
    assert way.admit(bearer(way.people.token())) == "ann"
    assert way.admit(bearer(secret)) == "ann"


def test_a_change_of_another_process_counts_within_a_second(tmp_path: Path) -> None:
    clock = FakeClock()
    with closing(open_directory(tmp_path)) as ours, closing(open_directory(tmp_path)) as theirs:
        shown = bearer(People(theirs).token())
        with closing(TokenAuthenticator(ours, clock)) as authenticator:
            admitted = authenticator.admit(shown, OURS)
            theirs.revoke_token("t1", clock())
            clock.advance(1)
            with pytest.raises(Unauthenticated):
                authenticator.admit(shown, OURS)
            assert not authenticator.stands(admitted)


def test_whoever_is_told_to_forget_looks_again() -> None:
    way = Way()
    with closing(way.authenticator):
        shown = bearer(way.people.token())
        way.admit(shown)
        way.authenticator.forget()
        assert way.tokens_asked(lambda: way.admit(shown)) == 1


def test_while_the_directory_is_out_of_order_nobody_new_gets_in(way: Way) -> None:
    secret = way.people.token()
    way.admit(bearer(secret))
    way.refuse(bearer("guessed before"))
    way.directory.broken = True
    for _ in range(2):
        assert way.admit(bearer(secret)) == "ann"
        way.refuse(bearer("guessed before"))
        for credentials in (bearer("unknown"), Credentials()):
            with pytest.raises(StorageError):
                way.admit(credentials)
        way.clock.advance(1)
    way.directory.broken = False
    assert way.admit(bearer(secret)) == "ann"


def test_who_is_known_gets_in_for_five_minutes_without_a_directory(way: Way) -> None:
    shown = bearer(way.people.token())
    admitted = way.authenticator.admit(shown, OURS)
    assert way.authenticator.stands(admitted)
    way.directory.broken = True
    way.clock.advance(299)
    assert way.admit(shown) == "ann"
    assert way.authenticator.stands(admitted)
    way.clock.advance(1)
    for _ in range(2):
        with pytest.raises(StorageError):
            way.admit(shown)
    way.directory.broken = False
    assert way.admit(shown) == "ann"


def test_a_token_that_was_revoked_meanwhile_is_refused_once_the_directory_is_back() -> None:
    directory = Unannounced()
    people = People(directory)
    shown = bearer(people.token())
    clock = FakeClock()
    with closing(TokenAuthenticator(directory, clock)) as authenticator:
        assert authenticator.admit(shown, OURS).name == "ann"
        directory.broken = True
        directory.revoke_token("t1", clock())
        clock.advance(60)
        assert authenticator.admit(shown, OURS).name == "ann"
        directory.broken = False
        clock.advance(1)
        with pytest.raises(Unauthenticated):
            authenticator.admit(shown, OURS)


def test_who_is_known_does_not_wait_for_a_directory_that_does_not_answer(way: Way) -> None:
    shown = bearer(way.people.token())
    assert way.admit(shown) == "ann"
    way.clock.advance(1)
    way.directory.stalled = Gate()
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(way.admit, shown)
        way.directory.stalled.await_arrival()
        assert [way.admit(shown) for _ in range(3)] == ["ann"] * 3
        assert not stuck.done()
        way.directory.stalled.release()
        assert stuck.result(20) == "ann"


def test_wrong_credentials_push_nobody_out(way: Way) -> None:
    secret = way.people.token()
    way.admit(bearer(secret))
    for number in range(3000):
        way.refuse(bearer(f"guess{number}"))
    assert way.tokens_asked(lambda: way.admit(bearer(secret))) == 0


def test_so_many_are_remembered_and_the_others_looked_up_again() -> None:
    way = Way(remembered=2)
    with closing(way.authenticator):
        secrets = [way.people.token() for _ in range(3)]
        for secret in secrets:
            way.admit(bearer(secret))
        assert way.tokens_asked(lambda: way.admit(bearer(secrets[2]))) == 0
        assert way.tokens_asked(lambda: way.admit(bearer(secrets[0]))) == 1


def test_nothing_that_is_remembered_is_a_secret(way: Way) -> None:
    secret = way.people.token()
    way.admit(basic("ann", secret))
    way.admit(bearer(secret))
    way.refuse(basic("ben", secret))
    reached, frontier = set[int](), [way.authenticator.__dict__]
    texts = []
    while frontier:
        found: object = frontier.pop()
        if id(found) in reached or isinstance(found, type) or callable(found):
            continue
        reached.add(id(found))
        if isinstance(found, str | bytes):
            texts.append(found if isinstance(found, str) else found.decode("latin-1"))
        frontier.extend(gc.get_referents(found))
    assert len(texts) > 5
    assert not [text for text in texts if secret in text]


def test_the_last_use_is_written_when_it_closes(way: Way) -> None:
    secret = way.people.token()
    way.admit(bearer(secret))
    way.clock.advance(0.5)
    way.admit(bearer(secret))
    way.authenticator.close()
    token = way.directory.token_by_id("t1")
    assert token is not None
    assert token.last_used_at == way.clock()


def test_a_hundred_threads_agree_and_none_outlives_a_revocation(way: Way) -> None:
    secrets = [way.people.token(TokenKind.JOB) for _ in range(10)]
    together = Barrier(101)

    def pull(number: int) -> set[str]:
        together.wait(60)
        said = {way.admit(bearer(secrets[number % 10])) for _ in range(20)}
        together.wait(60)
        together.wait(60)
        return said | {answer(way, bearer(secrets[number % 10]))}

    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(pull, number) for number in range(100)]
        together.wait(60)
        together.wait(60)
        for number in range(1, 6):
            way.directory.revoke_token(f"t{number}", 5.0)
        together.wait(60)
        found = [future.result(60) for future in answers]
    for number, said in enumerate(found):
        assert said == ({"ann", "401"} if number % 10 < 5 else {"ann"})
    way.authenticator.close()
    assert all(token.last_used_at is not None for token in way.directory.tokens())


def answer(way: Way, credentials: Credentials) -> str:
    try:
        return way.admit(credentials)
    except VirtregError as error:
        return str(error.status)


def test_a_known_token_costs_microseconds(way: Way) -> None:
    shown = basic("ann", way.people.token())
    way.admit(shown)
    began = time.thread_time()
    for _ in range(2000):
        way.admit(shown)
    assert (time.thread_time() - began) / 2000 < 50e-6
