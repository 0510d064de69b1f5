"""The patterns of rules: which text is one, and what it matches.

A ``wildcard`` stands for the whole coordinate, ``*`` in it for any text, even none. A ``regex`` is
an RE2 expression that is found anywhere in the coordinate. Both ignore case. RE2 takes time in
proportion to the text whatever the expression is, so that a rule cannot make requests slow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

PatternType = Literal["wildcard", "regex"]

MAX_PATTERN = 255
"""Characters."""

_MEMORY = 128 * 1024
"""Bytes that one expression may take, its automata included; RE2 refuses what is larger and does
without an automaton that would grow larger."""

_LEGAL = {
    "group_id": "A-Za-z0-9_.-",
    "artifact_id": "A-Za-z0-9_.-",
    "version": "A-Za-z0-9_.+~-",
    "image": "A-Za-z0-9_./-",
    "tag": "A-Za-z0-9_.-",
}
_OTHER = "!-)+-~"
"""For the coordinates of other formats: printable ASCII without the blank and the asterisk."""


def check_pattern(pattern: str, pattern_type: PatternType, target: str) -> None:
    """Raises ValueError, worded to follow the name of the field, for text that is no pattern of
    this type for the coordinate ``target``."""
    if not pattern:
        raise ValueError("must not be empty")
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"must be at most {MAX_PATTERN} characters, not {len(pattern)}")
    if not pattern.isprintable():
        raise ValueError("must have no control character")
    if pattern_type == "wildcard":
        if "**" in pattern:
            raise ValueError('must not have "**": "*" stands for any text already')
        illegal = re.search(rf"[^*{_LEGAL.get(target, _OTHER)}]", pattern)
        if illegal is not None:
            raise ValueError(
                f"has the character {illegal[0]!r}, which no {target} has; only * is special in a "
                "wildcard"
            )
    if pattern_type == "regex":
        # As it stands: within a group, "a)(b" would be two.
        _compiled(pattern, 1)
    union([(pattern, pattern_type)])


def union(patterns: Sequence[tuple[str, PatternType]]) -> Any:
    """An RE2 expression, thread-safe, whose ``search`` finds what any of the patterns matches, of
    which each has passed ``check_pattern``. Raises ValueError as that does."""
    expressions = [f"(?:{_expression(*each)})" for each in patterns]
    return _compiled("|".join(expressions), len(patterns))


def _compiled(expression: str, size: int) -> Any:
    # Not before a rule needs it: most servers have none.
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MEMORY * size
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"is no regular expression that RE2 takes: {told}") from None


def _expression(pattern: str, pattern_type: PatternType) -> str:
    if pattern_type == "regex":
        return pattern
    return rf"(?s:\A{'.*'.join(re.escape(part) for part in pattern.split('*'))}\z)"
