"""Digests of bodies, and whether they are what an upstream claims."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from virtreg.errors import IntegrityError
from virtreg.model import Algorithm, Digests, Expectation


class Digesting:
    """Digests of bytes as they come. hashlib gives the interpreter lock up while it works on a
    piece. One thread's."""

    def __init__(self, algorithms: Iterable[Algorithm]) -> None:
        self._running = {
            algorithm: hashlib.new(algorithm.value, usedforsecurity=False)
            for algorithm in algorithms
        }

    def update(self, piece: bytes | memoryview) -> None:
        for each in self._running.values():
            each.update(piece)

    def result(self) -> dict[Algorithm, str]:
        return {algorithm: each.hexdigest() for algorithm, each in self._running.items()}


def digest(
    pieces: Iterable[bytes | memoryview], algorithms: Iterable[Algorithm]
) -> dict[Algorithm, str]:
    """Run the pieces through every algorithm in one pass."""
    digesting = Digesting(algorithms)
    for piece in pieces:
        digesting.update(piece)
    return digesting.result()


def kept(expectation: Expectation, claims: Digests) -> set[Algorithm]:
    """The digests that a body is taken with: those wanted, those claimed, and the store's key."""
    return {Algorithm.SHA256, *expectation.digests, *claims}


def compare(found: Digests, claims: Digests, upstream: str) -> None:
    """Raises IntegrityError naming the first algorithm whose digest is not the claimed one."""
    for algorithm, claimed in claims.items():
        if found[algorithm] != claimed:
            raise IntegrityError(
                f"{upstream} sent bytes whose {algorithm.value} is {found[algorithm]}, "
                f"but claims {claimed}",
                upstream=upstream,
            )
