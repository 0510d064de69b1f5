"""A bucket that refuses, stalls, cuts and lies: an error soon, or the right bytes, no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.store.scripted import (
    Scripted,
    Trick,
    cut_after,
    flipped,
    refusal,
    scripted_server,
    silent_after,
)
from virtreg.backends.store.objects import ObjectStore
from virtreg.backends.store.places import Limits
from virtreg.errors import Missing, StorageError
from virtreg.testing.stores import key_of, pattern

CONTENT = pattern(3_000_000)
KEY = key_of(CONTENT)
DENIED = refusal(403, "AccessDenied")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server(CONTENT) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(server: Scripted, clock: Clock) -> ObjectStore:
    return ObjectStore(
        "s3://bucket", clock=clock, limits=Limits(patience=2, part=2), **server.access
    )


def read(store: ObjectStore, start: int = 0, stop: int | None = None) -> bytes:
    with store.open_known(KEY, len(CONTENT)) as body:
        return b"".join(body.read(start, stop))


def read_until_it_fails(store: ObjectStore) -> tuple[bytes, StorageError]:
    got: list[bytes] = []
    with (
        store.open_known(KEY, len(CONTENT)) as body,
        pytest.raises(StorageError) as caught,
    ):
        got.extend(body.read())
    return b"".join(got), caught.value


def test_a_body_is_one_request_and_no_look(store: ObjectStore, server: Scripted) -> None:
    with store.open_known(KEY, len(CONTENT)) as body:
        assert server.asked == []
        assert body.deferred()
        assert b"".join(body.read()) == CONTENT
    assert server.asked == [f"bytes=0-{len(CONTENT) - 1}"]


@pytest.mark.parametrize("count", [0, 1, 1_500_000])
def test_a_body_that_is_cut_goes_on_where_it_ended(
    store: ObjectStore, server: Scripted, count: int
) -> None:
    server.tricks = [cut_after(count)]
    assert read(store) == CONTENT
    assert len(server.asked) == 2


def test_a_body_that_stops_coming_is_asked_for_again(store: ObjectStore, server: Scripted) -> None:
    server.tricks = [silent_after(1_500_000)]
    assert read(store) == CONTENT


@pytest.mark.parametrize("trick", [cut_after(0), silent_after(0)])
def test_a_body_that_never_comes_is_an_error(
    store: ObjectStore, server: Scripted, trick: Trick
) -> None:
    server.tricks = [trick] * 9
    got, error = read_until_it_fails(store)
    assert got == b""
    assert error.message.startswith(f"cannot read {KEY}: ")
    assert len(server.asked) < 9


def test_a_body_that_ends_in_silence_is_an_error_after_the_right_bytes(
    store: ObjectStore, server: Scripted
) -> None:
    server.tricks = [cut_after(2_000_000), *[silent_after(0)] * 8]
    got, error = read_until_it_fails(store)
    assert 0 < len(got) < len(CONTENT)
    assert CONTENT.startswith(got)
    assert not isinstance(error, Missing)


def test_a_server_without_a_word_is_an_error(store: ObjectStore, server: Scripted) -> None:
    server.tricks = [silent_after(None)] * 9
    got, error = read_until_it_fails(store)
    assert got == b""
    assert error.message == f"cannot read {KEY}: TimeoutError"


def test_bytes_that_came_wrong_never_leave_whole(store: ObjectStore, server: Scripted) -> None:
    server.tricks = [flipped]
    got, error = read_until_it_fails(store)
    assert len(got) < len(CONTENT)
    assert CONTENT.startswith(got)
    assert not isinstance(error, Missing), "what is kept is whole: it was read once more"
    assert read(store) == CONTENT


def test_bytes_that_are_wrong_are_as_good_as_missing(store: ObjectStore, server: Scripted) -> None:
    server.tricks = [flipped] * 9
    got, error = read_until_it_fails(store)
    assert len(got) < len(CONTENT)
    assert isinstance(error, Missing)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "RequestExpired"])
def test_credentials_that_have_expired_are_asked_for_again(
    store: ObjectStore, server: Scripted, code: str
) -> None:
    server.tricks = [refusal(403, code)]
    assert read(store) == CONTENT
    assert len(server.asked) == 2


def test_credentials_that_stay_expired_are_an_error(store: ObjectStore, server: Scripted) -> None:
    server.tricks = [refusal(400, "ExpiredToken")] * 9
    got, error = read_until_it_fails(store)
    assert (got, error.message) == (b"", f"cannot read {KEY}: PermissionError")
    assert len(server.asked) == 2
    assert "hunter2" not in repr(error.__cause__)


def test_a_bucket_that_is_not_there_is_told(store: ObjectStore, server: Scripted) -> None:
    server.tricks = [refusal(404, "NoSuchBucket")]
    _, error = read_until_it_fails(store)
    assert error.message == f"cannot read {KEY}: the bucket is not there (FileNotFoundError)"


def test_a_bucket_that_refuses_is_left_alone_for_a_while(
    store: ObjectStore, server: Scripted, clock: Clock
) -> None:
    server.tricks = [DENIED] * 3
    assert store.available()
    for _ in range(3):
        _, error = read_until_it_fails(store)
        assert error.message == f"cannot read {KEY}: the bucket refuses it (PermissionError)"
        assert error.retry_after is None
    assert not store.available()
    for use in (
        lambda: store.open_known(KEY, 1),
        lambda: store.open(KEY),
        lambda: store.put(KEY, b"x"),
        lambda: store.delete(KEY),
        lambda: list(store.list()),
    ):
        with pytest.raises(StorageError, match="has not answered lately") as caught:
            use()
        assert (caught.value.retry_after or 0) >= 1
    assert len(server.asked) == 3
    clock.now = 60
    assert store.available()
    assert read(store) == CONTENT
    assert store.available()


def test_a_bucket_that_still_refuses_is_left_alone_for_longer(
    store: ObjectStore, server: Scripted, clock: Clock
) -> None:
    server.tricks = [DENIED] * 5
    for _ in range(3):
        read_until_it_fails(store)
    clock.now = 2.5
    assert store.available()
    read_until_it_fails(store)
    clock.now = 5
    assert not store.available()


def test_what_is_not_there_is_no_failure(store: ObjectStore, server: Scripted) -> None:
    server.tricks = [refusal(404, "NoSuchKey")] * 5
    for _ in range(5):
        _, error = read_until_it_fails(store)
        assert isinstance(error, Missing)
    assert store.available()


def test_a_part_is_read_and_no_more(store: ObjectStore, server: Scripted) -> None:
    assert read(store, 1_000_000, 1_000_010) == CONTENT[1_000_000:1_000_010]
    assert server.asked == ["bytes=1000000-1000009"]
