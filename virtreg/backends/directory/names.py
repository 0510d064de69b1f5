"""What users, groups and tokens may be called."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from virtreg.errors import InvalidRequest

LONGEST: Final = 255

_NAME: Final = re.compile(r"[^\s:]+")
_RESERVED: Final = frozenset({"anonymous", "gitlab-ci-token", "<token>"})
"""Who nobody is: the stranger, the user name that goes with every job token, and the one that says
that an identity token follows (what Docker's credential helpers put for it)."""

_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Of the code points that Unicode calls Default_Ignorable, those that Python calls printable, as
they are left by NFKC."""


def folded(name: str) -> str:
    """The same for all names that differ in case or Unicode form alone: a compatibility caseless
    match (Unicode Standard, 3.13, D146), without what is not seen. Of ASCII: in lower case."""
    decomposed = unicodedata.normalize("NFD", name).casefold()
    composed = unicodedata.normalize("NFKD", decomposed).casefold()
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", composed))


def check_new_name(text: str, what: str) -> None:
    """As ``check_name``, for somebody or something that is not there yet: what could be taken for a
    reserved name is reserved too."""
    check_name(text, what)
    if folded(text) in _RESERVED:
        raise InvalidRequest(f"{what} {text!r}: is reserved, however it is spelled")


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
