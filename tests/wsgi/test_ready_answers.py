from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.events import Event, Filled, FillFailed, Merged, Purged, Revalidated, ServedStale
from virtreg.model import Scope
from virtreg.wsgi.ready import Ready, ReadyAnswers

ROOMY = 1 << 30


def ready(path: str = "a", body: bytes | None = b"") -> Ready:
    return Ready(
        status="200 OK",
        headers=(),
        body=body,
        key="",
        size=len(body or b""),
        made_at=0,
        expires_at=0,
        origin="hit",
        scope=Scope("main", path),
        source="",
        path=path,
    )


COST = ready().cost

NAMES = [f"/{letter}" for letter in "abcdefghijklmnop"]
Action = tuple[str, str, str, int]
actions: st.SearchStrategy[list[Action]] = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "get", "discard", "purge"]),
        st.sampled_from(NAMES),
        st.sampled_from("wxyz"),
        st.integers(0, 20_000),
    ),
    max_size=80,
)


@given(actions, st.integers(0, 200_000))
def test_held_bytes_never_exceed_the_capacity(steps: list[Action], capacity: int) -> None:
    table = ReadyAnswers(capacity)
    known: set[Ready] = set()
    """What was put and has not been taken back."""
    for step, name, path, size in steps:
        found = table.get(name)
        if step == "put":
            known.add(another := ready(path, bytes(size)))
            table.put(name, another, table.epoch)
        elif step == "get" and found is not None:
            found.used = True
        elif step == "discard" and found is not None:
            table.discard(name)
            known.remove(found)
        elif step == "purge":
            table.observe(Purged("main", path))
            known = {answer for answer in known if answer.path != path}
        held = {answer for name in NAMES if (answer := table.get(name))}
        assert held <= known
        assert sum(answer.cost for answer in held) <= capacity


@given(st.integers(8, 64))
def test_as_many_are_held_as_fit(number: int) -> None:
    table = ReadyAnswers(number * COST)
    for name in range(3 * number):
        table.put(str(name), ready(str(name)), table.epoch)
    assert sum(table.get(str(name)) is not None for name in range(3 * number)) == number


def test_the_used_outlive_the_unused() -> None:
    table = ReadyAnswers(10 * COST)
    fresh: Iterator[int] = count()

    def put_another() -> None:
        name = str(next(fresh))
        table.put(name, ready(name), table.epoch)

    for _ in range(11):
        put_another()  # the eleventh has everything looked at once
    used = [name for name in map(str, range(11)) if table.get(name) is not None][:5]
    for name in used:
        found = table.get(name)
        assert found is not None
        found.used = True
    for _ in range(5):
        put_another()
    assert all(table.get(name) is not None for name in used)


def test_one_answer_cannot_push_out_all_others() -> None:
    table = ReadyAnswers(80 * COST)
    table.put("small", ready(), table.epoch)
    table.put("large", ready(body=bytes(10 * COST)), table.epoch)
    assert table.get("large") is None
    assert table.get("small") is not None


CHANGES: list[Callable[[str], Event]] = [
    lambda path: Filled("main", path, "near", 1, 0.0),
    lambda path: Purged("main", path),
    lambda path: Merged("main", path, 2, ()),
    lambda path: Revalidated("main", path, "near", changed=True),
]
NO_CHANGES: list[Callable[[str], Event]] = [
    lambda path: Revalidated("main", path, "near", changed=False),
    lambda path: ServedStale("main", path, "near", ""),
    lambda path: FillFailed("main", path, "near", ""),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_path_takes_all_its_answers(change: Callable[[str], Event]) -> None:
    table = ReadyAnswers(ROOMY)
    for name, path in (("/by-name/a", "a"), ("/by-id/a", "a"), ("/a.sha1", "a"), ("/b", "b")):
        table.put(name, ready(path), table.epoch)
    table.observe(change("a"))
    held = [name for name in ("/by-name/a", "/by-id/a", "/a.sha1", "/b") if table.get(name)]
    assert held == ["/b"]


@pytest.mark.parametrize("event", NO_CHANGES)
def test_what_changes_nothing_takes_nothing(event: Callable[[str], Event]) -> None:
    table = ReadyAnswers(ROOMY)
    epoch = table.epoch
    table.put("/a", ready("a"), epoch)
    table.observe(event("a"))
    assert table.get("/a") is not None
    assert table.epoch == epoch


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_made_before_a_change_is_not_kept(change: Callable[[str], Event]) -> None:
    table = ReadyAnswers(ROOMY)
    before = table.epoch
    table.observe(change("a"))
    table.put("/a", ready("a"), before)
    assert table.get("/a") is None
    table.put("/a", ready("a"), table.epoch)
    assert table.get("/a") is not None


def test_clearing_leaves_nothing_and_keeps_nothing_older() -> None:
    table = ReadyAnswers(ROOMY)
    before = table.epoch
    table.put("/a", ready("a"), before)
    table.clear()
    table.put("/b", ready("b"), before)
    assert table.get("/a") is None
    assert table.get("/b") is None
