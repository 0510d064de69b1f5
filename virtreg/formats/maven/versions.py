"""Maven's version order: that of ``ComparableVersion`` in maven-artifact 3.8.

A version is a chain of segments, each a run of numbers and words. ``-`` and every change between
digits and letters open the next segment; ``.`` only parts items within one. Items are compared in
pairs, and where one side has none the other is compared with nothing. Neutral items (``0``,
``ga``, ``final``, ``release``) at the end of a segment do not count.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable
from typing import Any

_QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_ALIASES = {"ga": "", "final": "", "release": "", "cr": "rc"}
_BEFORE_DIGIT = {"a": "alpha", "b": "beta", "m": "milestone"}
_RELEASE = _QUALIFIERS.index("")
_PIECE = re.compile(r"[0-9]+|[.-]|[^0-9.-]+")

# Items compare as tuples; the first element ranks the kinds: word, next segment, number.
_Item = tuple[Any, ...]
_Chain = tuple[tuple[_Item, ...], ...]
_WORD, _SEGMENT, _NUMBER = 0, 1, 2
_DEEPER: _Item = (_SEGMENT,)
"""Last in a segment that has a next one, where Maven nests a list."""


def _number(digits: str) -> _Item:
    # Maven picks a type by width after stripping zeros, but leaves an all-zero number as wide as
    # it was written, and orders types before values. Text keeps huge numbers cheap.
    stripped = digits.lstrip("0")
    width = len(stripped or digits)
    return (_NUMBER, 0 if width <= 9 else 1 if width <= 18 else 2, len(stripped), stripped)


def _word(text: str, before_digit: bool) -> _Item:
    if before_digit:
        text = _BEFORE_DIGIT.get(text, text)
    text = _ALIASES.get(text, text)
    if text in _QUALIFIERS:
        return (_WORD, _QUALIFIERS.index(text), "")
    return (_WORD, len(_QUALIFIERS), text)


def _sign(item: _Item) -> int:
    """How a number or a word compares with nothing at its place."""
    if item[0] == _NUMBER:
        return 1 if item[3] else 0
    rank: int = item[1]
    return (rank > _RELEASE) - (rank < _RELEASE)


def _segments(text: str) -> _Chain:
    chain: list[list[_Item]] = [[]]
    pieces = _PIECE.findall(text.lower())
    for before, piece, after in zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False):
        if piece in ".-":
            if before in (".", "-", ""):
                chain[-1].append(_number("0"))
            if piece == "-":
                chain.append([])
        elif piece[0].isdigit():
            chain[-1].append(_number(piece))
            if after not in (".", "-", ""):
                chain.append([])
        else:
            before_digit = after[:1].isdigit()
            if chain[-1] and (before_digit or not after):
                chain.append([])
            chain[-1].append(_word(piece, before_digit))
            if before_digit:
                chain.append([])
    return _normal(chain)


def _normal(chain: list[list[_Item]]) -> _Chain:
    kept: list[tuple[_Item, ...]] = []
    for segment in reversed(chain):
        while segment and not _sign(segment[-1]):
            segment.pop()
        if kept:
            segment.append(_DEEPER)
        if segment:
            kept.append(tuple(segment))
    return tuple(reversed(kept))


@functools.total_ordering
class VersionKey:
    """A version to compare, sort and hash by; its text is kept in ``text``.

    Equal exactly when neither is newer (``1.0 == 1-ga``). Agrees with Maven on every pair, which
    has a price: Maven's relation has cycles where a word is followed by a separator
    (``1-alpha > 1.sp.1 > 1 > 1-alpha``). Where the outcome must not depend on the order of the
    input, use :func:`ordered`. Immutable, safe to share between threads.
    """

    __slots__ = ("_chain", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._chain = _segments(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VersionKey) and self._chain == other._chain

    def __hash__(self) -> int:
        return hash(self._chain)

    def __lt__(self, other: VersionKey) -> bool:
        return _compare(self._chain, other._chain) < 0

    def __repr__(self) -> str:
        return f"VersionKey({self.text!r})"


def _compare(left: _Chain, right: _Chain) -> int:
    for depth, (ours, theirs) in enumerate(itertools.zip_longest(left, right, fillvalue=())):
        for mine, yours in itertools.zip_longest(ours, theirs):
            if mine == yours:
                continue
            if mine is None:
                verdict = -_against_nothing(yours, right[depth + 1 :])
            elif yours is None:
                verdict = _against_nothing(mine, left[depth + 1 :])
            else:
                verdict = 1 if mine > yours else -1
            if verdict:
                return verdict
    return 0


def _against_nothing(item: _Item, deeper: _Chain) -> int:
    if item != _DEEPER:
        return _sign(item)
    signs = (_sign(inner) for segment in deeper for inner in segment if inner != _DEEPER)
    return next(filter(None, signs), 0)


def version_key(text: str) -> VersionKey:
    """The sort key of a version; any text has one. ASCII digits only are numbers."""
    return VersionKey(text)


def ordered(versions: Iterable[str]) -> list[str]:
    """The distinct texts, oldest first; a function of the set alone, in whatever order given."""
    return sorted(sorted(set(versions)), key=version_key)


def releases(versions: Iterable[str]) -> list[str]:
    """Those that are no snapshots, in the order given."""
    return [version for version in versions if not version.upper().endswith("SNAPSHOT")]
