"""What a server asks a client to prove: ``WWW-Authenticate`` (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKEN68 = re.compile(r" +([A-Za-z0-9._~+/-]+=*)[ \t]*(?=,|$)")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_GAP = re.compile(r"[ \t,]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'(["\\])')


@frozen
class Challenge:
    """One way a server accepts to be answered."""

    scheme: str
    """Lower-case, such as ``bearer``."""
    params: Mapping[str, str] = field(factory=dict)
    """Lower-case names; the first of a repeated name. Values as the server meant them."""
    token68: str = ""
    """What some schemes send in place of parameters."""

    def __str__(self) -> str:
        """The challenge as a field value, every parameter quoted."""
        if self.token68:
            return f"{self.scheme} {self.token68}"
        quoted = ((name, _TO_ESCAPE.sub(r"\\\1", value)) for name, value in self.params.items())
        params = ", ".join(f'{name}="{value}"' for name, value in quoted)
        return f"{self.scheme} {params}" if params else self.scheme


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a header, or of several joined by commas, in order.

    Commas that were left out are no obstacle. What follows the first thing that cannot be a
    challenge at all is left out.
    """
    found: list[tuple[str, dict[str, str], str]] = []
    at = _skip(header, 0)
    while name := _TOKEN.match(header, at):
        value = _value(header, name.end())
        if value is not None and found and not found[-1][2]:
            text, end = value
            found[-1][1].setdefault(name.group().lower(), text)
        elif value is not None or _EQUALS.match(header, name.end()):
            break
        else:
            token68, end = _token68(header, name.end())
            found.append((name.group().lower(), {}, token68))
        at = _skip(header, end)
    return tuple(Challenge(*parts) for parts in found)


def _skip(header: str, at: int) -> int:
    gap = _GAP.match(header, at)
    assert gap is not None  # it may be empty
    return gap.end()


def _value(header: str, at: int) -> tuple[str, int] | None:
    """The value after a parameter's name and where it ends; None when no value follows."""
    equals = _EQUALS.match(header, at)
    if equals is None:
        return None
    quoted = _QUOTED.match(header, equals.end())
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    bare = _TOKEN.match(header, equals.end())
    return None if bare is None else (bare.group(), bare.end())


def _token68(header: str, at: int) -> tuple[str, int]:
    match = _TOKEN68.match(header, at)
    return ("", at) if match is None else (match[1], match.end())
