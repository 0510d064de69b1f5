"""When a client may come back after an error."""

from __future__ import annotations

import math

from virtreg.errors import VirtregError

_TEMPORARY = (502, 503, 504)
_DEFAULT_SECONDS = 30


def retry_seconds(error: VirtregError) -> int | None:
    """The value of ``Retry-After``, in whole seconds from 1 up (RFC 9110, 10.2.3); None when
    waiting is not known to help."""
    if error.retry_after is not None and math.isfinite(error.retry_after):
        return max(1, math.ceil(error.retry_after))
    return _DEFAULT_SECONDS if error.status in _TEMPORARY else None
