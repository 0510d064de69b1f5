"""What the bodies of all stores share: pieces and bounds."""

from __future__ import annotations

from collections.abc import Iterator

PIECE = 256 * 1024
"""The most bytes one piece of a body has."""


def bounds(size: int, start: int, stop: int | None) -> tuple[int, int]:
    """``start`` and ``stop`` cut down to what a body of ``size`` bytes has."""
    end = size if stop is None else min(stop, size)
    return max(start, 0), end


def pieces(content: bytes, start: int, stop: int) -> Iterator[bytes]:
    """Yield ``content[start:stop]`` in pieces of at most :data:`PIECE`."""
    if start == 0 and stop == len(content) <= PIECE:
        if content:
            yield content
        return
    for at in range(start, stop, PIECE):
        yield content[at : min(at + PIECE, stop)]
