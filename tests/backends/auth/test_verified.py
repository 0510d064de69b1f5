from __future__ import annotations

from virtreg.backends.auth.verified import Verified
from virtreg.model import Principal


def test_what_was_added_is_found() -> None:
    verified = Verified[Principal](2)
    verified.add(b"one", Principal("one"))
    assert verified.get(b"one") == Principal("one")
    assert verified.get(b"two") is None


def test_the_least_recently_used_is_forgotten_first() -> None:
    verified = Verified[Principal](2)
    verified.add(b"one", Principal("one"))
    verified.add(b"two", Principal("two"))
    verified.get(b"one")
    verified.add(b"three", Principal("three"))
    assert verified.get(b"two") is None
    assert verified.get(b"one") == Principal("one")
    assert verified.get(b"three") == Principal("three")


def test_memory_is_bounded() -> None:
    verified = Verified[Principal](3)
    for number in range(100):
        verified.add(b"%d" % number, Principal("many"))
    assert len(verified) == 3
