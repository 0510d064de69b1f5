"""Registries behind registries behind registries."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.service.hub import FILE, SMALL, fake
from tests.service.local.nest import Nest, to
from virtreg.core.nesting import MOST_NESTED
from virtreg.errors import UpstreamUnavailable

READERS = 150


def chain(nest: Nest, depth: int) -> None:
    """``r0`` asks ``r1``, and so on; at each there is one more upstream, which has nothing, so that
    all are asked on threads."""
    for number in range(depth):
        empty = fake(f"empty-{number}", negative_validity_seconds=0)
        nest.add(f"r{number}", empty, to(f"r{number + 1}"))


def test_what_is_at_the_end_is_had_at_the_beginning(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    nest.add(f"r{MOST_NESTED}", a)
    chain(nest, MOST_NESTED)
    assert nest.pull("r0", FILE) == SMALL
    assert nest.kept(FILE) == ["a"]


def test_many_readers_at_the_deepest_wait_for_nobody_in_vain(nest: Nest) -> None:
    a = fake("a")
    paths = [f"org/example/a/1.0/a-1.0-{number}.bin" for number in range(READERS)]
    for path in paths:
        a.put(path, path.encode())
    nest.add(f"r{MOST_NESTED}", a)
    chain(nest, MOST_NESTED)
    barrier = threading.Barrier(READERS)

    def read(path: str) -> bytes:
        barrier.wait(30)
        return nest.get("r0", path)

    with ThreadPoolExecutor(READERS) as threads:
        assert list(threads.map(read, paths, timeout=60)) == [path.encode() for path in paths]


def test_deeper_is_broken_and_not_absent(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    nest.add(f"r{MOST_NESTED + 1}", a)
    chain(nest, MOST_NESTED + 1)
    with pytest.raises(UpstreamUnavailable):
        nest.get("r0", FILE)
    assert nest.get("r1", FILE) == SMALL
