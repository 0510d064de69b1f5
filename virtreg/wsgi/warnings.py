"""The ``Warning`` header (RFC 7234, 5.5; OCI distribution-spec, Warnings)."""

from __future__ import annotations

_MOST = 4096
"""Bytes of the whole value that clients must be able to read."""


def warning_value(text: str) -> str:
    """``299 - "<text>"``: the code for anything, no agent, no date.

    A control character becomes a space, another that is not ASCII a ``?``; what is too long is
    cut.
    """
    value = ['299 - "']
    left = _MOST - len(value[0]) - 1
    for character in text:
        written = _written(character)
        left -= len(written)
        if left < 0:
            break
        value.append(written)
    value.append('"')
    return "".join(value)


def _written(character: str) -> str:
    """One character of a quoted-string (RFC 9110, 5.6.4)."""
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    return " " if character < " " or character == "\x7f" else "?"
