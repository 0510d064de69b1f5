from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from virtreg.backends.auth.learnt import Learnt


def test_what_was_added_last_is_kept() -> None:
    learnt = Learnt[int](2)
    for number in (1, 2, 1, 3):
        learnt.add(b"%d" % number, number)
    assert [learnt.get(b"%d" % number) for number in (1, 2, 3)] == [1, None, 3]


def test_a_value_is_replaced() -> None:
    learnt = Learnt[int](2)
    learnt.add(b"a", 1)
    learnt.add(b"a", 2)
    assert learnt.get(b"a") == 2


def test_many_threads_stay_within_the_limit() -> None:
    learnt = Learnt[int](10)

    def fill(thread: int) -> None:
        for number in range(200):
            learnt.add(b"%d" % (thread * 1000 + number), number)

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(fill, thread) for thread in range(8)]:
            future.result(60)
    kept = [learnt.get(b"%d" % key) for key in range(8000)]
    assert len([value for value in kept if value is not None]) == 10
