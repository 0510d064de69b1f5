"""How long a request's URL and header may be, where the server in front allows more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from virtreg.errors import VirtregError

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

MOST_TARGET = 8192
"""Characters of the path and the query; RFC 9110 (4.1) recommends to take 8000 at least."""
MOST_FIELDS = 128
MOST_HEADER = 96 * 1024
"""Characters of all field values; a Kerberos ticket alone may have 64 Ki."""


class TargetTooLong(VirtregError):
    """RFC 9110, 15.5.15."""

    status: ClassVar[int] = 414
    code: ClassVar[str] = "target_too_long"


class HeaderTooLarge(VirtregError):
    """RFC 6585, 5."""

    status: ClassVar[int] = 431
    code: ClassVar[str] = "header_too_large"


def check_sizes(environ: WSGIEnvironment) -> None:
    """Raises TargetTooLong and HeaderTooLarge."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if max(len(path) + len(query), len(raw)) > MOST_TARGET:
        raise TargetTooLong(f"the path and query have more than {MOST_TARGET} characters")
    values = [value for name, value in environ.items() if name.startswith("HTTP_")]
    if len(values) > MOST_FIELDS:
        raise HeaderTooLarge(f"the header has more than {MOST_FIELDS} fields")
    if sum(map(len, values)) > MOST_HEADER:
        raise HeaderTooLarge(f"the header has more than {MOST_HEADER} characters")
