"""What the fields of registries and upstreams may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from virtreg.core.weburl import check_url
from virtreg.errors import Invalid
from virtreg.model import Secret

Check = Callable[[Any], str | None]
"""What is wrong with a value, worded to follow the field's name."""

SETTINGS: Final = (
    "on_error",
    "on_refused",
    "on_missing",
    "negative_validity_seconds",
    "connect_timeout",
    "read_timeout",
    "max_connections",
    "minimum_release_age_hours",
)
"""Fields of an upstream that are kept together, and have the defaults of UpstreamSpec."""

_LONGEST_CREDENTIAL: Final = 510


def check(fields: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    """Raises Invalid, naming every field that is wrong or unknown."""
    wrong = {}
    for name, value in fields.items():
        reason = checks[name](value) if name in checks else "is not a field"
        if reason is not None:
            wrong[name] = [reason]
    if wrong:
        raise Invalid(wrong)


def _name(value: Any) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "can't be blank"
    if not value.isprintable():
        return "is invalid"
    return _longer(value, 255)


def _description(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        return "is invalid"
    return _longer(value or "", 1024)


def _url(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return "can't be blank"
    try:
        url = check_url(value)
    except ValueError as error:
        return str(error).replace("the URL", "is invalid: it", 1)
    return "is invalid: it has a query" if url.query else _longer(value, 255)


def _username(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        return "is invalid"
    text = value or ""
    # HTTP Basic ends it at the first colon (RFC 7617, 2).
    return "is invalid" if ":" in text or not text.isprintable() else _credential(text)


def _password(value: Any) -> str | None:
    if value is not None and not isinstance(value, Secret):
        return "is invalid"
    text = value.reveal() if value is not None else ""
    return _credential(text) if text.isprintable() else "is invalid"


def _credential(text: str) -> str | None:
    return _longer(text, _LONGEST_CREDENTIAL)


def _longer(text: str, most: int) -> str | None:
    return f"is too long (maximum is {most} characters)" if len(text) > most else None


def _one_of(*values: str | None) -> Check:
    return lambda value: None if value in values else "is not included in the list"


def _number(least: float, *, above: bool = False, most: float = math.inf) -> Check:
    def wrong(value: Any) -> str | None:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            return "is not a number"
        if value < least or (above and value == least):
            return f"must be greater than {'' if above else 'or equal to '}{least:g}"
        return f"must be less than or equal to {most:g}" if value > most else None

    return wrong


def _whole(least: int, most: int) -> Check:
    number = _number(least, most=most)
    return lambda value: number(value) if type(value) is int else "must be an integer"


REGISTRY: Final[Mapping[str, Check]] = {
    "name": _name,
    "description": _description,
    "order": _one_of("cached", "strict"),
}

LOCAL: Final[Mapping[str, Check]] = {
    "name": _name,
    "description": _description,
    "local_registry_id": _whole(1, 2**63 - 1),
    "cache_validity_hours": _number(0),
    "metadata_cache_validity_hours": _number(0, above=True),
    "on_error": _one_of("stop", "continue"),
    "minimum_release_age_hours": _number(0),
}
"""Of an upstream that is a registry. It says itself how long it keeps what: validities are kept
and mean nothing."""

UPSTREAM: Final[Mapping[str, Check]] = {
    "name": _name,
    "url": _url,
    "description": _description,
    "username": _username,
    "password": _password,
    "cache_validity_hours": _number(0),
    "metadata_cache_validity_hours": _number(0, above=True),
    "on_error": _one_of("stop", "continue"),
    "on_refused": _one_of("error", "absent", None),
    "on_missing": _one_of("keep", "drop"),
    "negative_validity_seconds": _number(0),
    "connect_timeout": _number(0, above=True),
    "read_timeout": _number(0, above=True),
    "max_connections": _whole(1, 1024),
    "minimum_release_age_hours": _number(0),
}
