"""What an upstream says of the requests it still takes: ``ratelimit-*`` headers, such as
``ratelimit-remaining: 99;w=21600``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from virtreg.model import Quota

_ITEM = re.compile(r"[ \t]*([0-9]{1,12})[ \t]*((?:;[^,;]*)*)[ \t]*(?:,|$)")
_WINDOW = re.compile(r";[ \t]*w[ \t]*=[ \t]*([0-9]{1,12})[ \t]*(?:;|$)", re.IGNORECASE)


def parse_quota(headers: Mapping[str, str]) -> Quota | None:
    """The quota in a response's headers (lower-case names); None when there is none.

    Of a list the first item counts; what cannot be read is as if it were not there.
    """
    limit, window = _item(headers.get("ratelimit-limit", ""))
    remaining, its_window = _item(headers.get("ratelimit-remaining", ""))
    if limit is None and remaining is None:
        return None
    return Quota(limit, remaining, its_window if window is None else window)


def _item(text: str) -> tuple[int | None, float | None]:
    match = _ITEM.match(text)
    if match is None:
        return None, None
    window = _WINDOW.search(match[2])
    return int(match[1]), None if window is None else float(window[1])
