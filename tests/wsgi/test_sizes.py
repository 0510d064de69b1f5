"""Requests that are longer than anybody needs."""

from __future__ import annotations

from typing import Any

import pytest

from virtreg.wsgi.sizes import (
    MOST_FIELDS,
    MOST_HEADER,
    MOST_TARGET,
    HeaderTooLarge,
    TargetTooLong,
    check_sizes,
)

FULL: dict[str, Any] = {
    "PATH_INFO": "/" + "a" * 999,
    "QUERY_STRING": "q" * (MOST_TARGET - 1000),
    "RAW_URI": "r" * MOST_TARGET,
    "wsgi.input": object(),
    "SERVER_SOFTWARE": "s" * (2 * MOST_HEADER),
    **{f"HTTP_X_{number}": "v" for number in range(MOST_FIELDS - 1)},
    "HTTP_AUTHORIZATION": "a" * (MOST_HEADER - MOST_FIELDS + 1),
}


def test_what_fits_passes() -> None:
    check_sizes({})
    check_sizes(FULL)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"PATH_INFO": "/" + "a" * 1000}, TargetTooLong),
        ({"QUERY_STRING": FULL["QUERY_STRING"] + "q"}, TargetTooLong),
        ({"RAW_URI": FULL["RAW_URI"] + "r"}, TargetTooLong),
        ({"RAW_URI": "", "REQUEST_URI": "r" * (MOST_TARGET + 1)}, TargetTooLong),
        ({"HTTP_COOKIE": ""}, HeaderTooLarge),
        ({"HTTP_AUTHORIZATION": FULL["HTTP_AUTHORIZATION"] + "a"}, HeaderTooLarge),
    ],
    ids=["path", "query", "raw target", "other raw target", "fields", "values"],
)
def test_one_more_is_refused(
    more: dict[str, Any], error: type[TargetTooLong | HeaderTooLarge]
) -> None:
    with pytest.raises(error, match="more than"):
        check_sizes(FULL | more)
