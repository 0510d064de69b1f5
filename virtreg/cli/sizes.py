"""Sizes and numbers on the command line: ``500GB``, ``64MiB``, ``1000``; ``1 entry``."""

from __future__ import annotations

import re
from typing import Final

import click

ANY: Final = -1
"""What ``none`` stands for."""

_SIZE: Final = re.compile(
    r"(?P<whole>[0-9]{1,15})(\.(?P<part>[0-9]{1,3}))? ?((?P<unit>[kmgt])(?P<binary>i?))?b?",
    re.IGNORECASE,
)
_POWERS: Final = {"k": 1, "m": 2, "g": 3, "t": 4}


def counted(number: int, one: str, many: str) -> str:
    """As ``1 entry`` and ``2 entries``."""
    return f"{number} {one if number == 1 else many}"


def size_or_none(value: str | int) -> int:
    """For click: bytes, or ``ANY``."""
    if isinstance(value, int):
        return value
    if value == "none":
        return ANY
    try:
        return parse_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def parse_size(text: str) -> int:
    """Bytes; kB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of 1024. Raises
    ValueError."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 500GB, 64MiB or 1000")
    scale = 1
    if match["unit"]:
        base = 1024 if match["binary"] else 1000
        for _ in range(_POWERS[match["unit"].lower()]):
            scale *= base
    thousandths = int((match["part"] or "0").ljust(3, "0"))
    return int(match["whole"]) * scale + thousandths * scale // 1000
