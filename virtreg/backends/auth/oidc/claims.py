"""What a token says, checked (OpenID Connect Core 1.0, 3.1.3.7; RFC 7519, 4.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from virtreg.errors import Unauthenticated

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,255}")


def check_times(claims: Mapping[str, Any], now: float, leeway: float) -> float:
    """Until when the token is good, ``leeway`` included. Raises Unauthenticated."""
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if now >= expires + leeway:
        raise Unauthenticated("the token has expired")
    starts = max(issued, _time(claims, "nbf") if "nbf" in claims else issued)
    if now < starts - leeway:
        raise Unauthenticated("the token is not good yet")
    return expires + leeway


def check_required(claims: Mapping[str, Any], required: Mapping[str, str]) -> None:
    """Every required claim is the value, or a list that holds it. Raises Unauthenticated naming
    the first that is not."""
    for name, value in required.items():
        told = claims.get(name)
        if told != value and not (isinstance(told, list) and value in told):
            raise Unauthenticated(f"the token's {name} is not one that is let in")


def principal_name(claims: Mapping[str, Any], claim: str) -> str:
    """The text of a claim. Raises Unauthenticated for none that can name somebody."""
    name = claims.get(claim)
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise Unauthenticated(f"the token's {claim} names nobody")
    return name


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unauthenticated(f"the token's {name} is no time")
    return float(value)
