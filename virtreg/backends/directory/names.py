"""What users, groups and tokens may be called."""

from __future__ import annotations

import re
from typing import Final

from virtreg.errors import InvalidRequest

LONGEST: Final = 255

_NAME: Final = re.compile(r"[^\s:]+")
_RESERVED: Final = frozenset({"anonymous", "gitlab-ci-token", "<token>"})
"""Who nobody is: the stranger, the user name that goes with every job token, and the one that says
that an identity token follows (what Docker's credential helpers put for it)."""


def check_name(text: str, what: str) -> None:
    """Raise InvalidRequest, naming ``what``, unless the text can be a user name of HTTP Basic
    (RFC 7617, 2: no colon, no control characters), is without blanks, and is nobody's already."""
    _check_text(text, what)
    if _NAME.fullmatch(text) is None:
        raise InvalidRequest(f"{what} {text!r}: must not hold blanks or ':'")
    if text in _RESERVED:
        raise InvalidRequest(f"{what} {text!r}: is reserved")


def check_title(text: str, what: str) -> None:
    """Raise InvalidRequest, naming ``what``, unless the text can be shown on one line."""
    _check_text(text, what)
    if not text.strip():
        raise InvalidRequest(f"{what} {text!r}: must not be blank")


def _check_text(text: str, what: str) -> None:
    if not 0 < len(text) <= LONGEST:
        raise InvalidRequest(f"{what}: must have 1 to {LONGEST} characters, not {len(text)}")
    if not text.isprintable():
        raise InvalidRequest(f"{what} {text!r}: must hold printable characters alone")
