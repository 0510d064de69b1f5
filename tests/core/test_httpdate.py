from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.httpdate import parse_http_date, print_http_date

# The two centuries that a two-digit year can mean.
instants = st.integers(-2_208_988_800, 4_102_444_799)


@given(instants)
def test_all_three_formats_of_one_instant_are_the_same_time(seconds: int) -> None:
    instant = datetime.fromtimestamp(seconds, UTC)
    assert parse_http_date(format_datetime(instant, usegmt=True)) == seconds
    assert parse_http_date(instant.strftime("%A, %d-%b-%y %H:%M:%S GMT")) == seconds
    assert parse_http_date(instant.strftime(f"%a %b {instant.day:2d} %H:%M:%S %Y")) == seconds


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_what_is_printed_is_an_imf_fixdate_of_the_same_time(seconds: int) -> None:
    printed = print_http_date(seconds)
    assert printed == format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)
    assert parse_http_date(printed) == seconds


@pytest.mark.parametrize(
    "seconds", [253_402_300_800, 2.0**40, 2.0**63, -62_135_596_801, -(2.0**70)]
)
def test_for_a_year_that_has_not_four_digits_there_is_no_date(seconds: float) -> None:
    assert print_http_date(seconds) is None


def test_the_examples_of_the_standard() -> None:
    for text in (
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ):
        assert parse_http_date(text) == 784111777


def test_a_leap_second_is_the_second_after() -> None:
    leap = parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT")
    assert leap == parse_http_date("Sun, 01 Jan 2017 00:00:00 GMT")
    assert leap is not None


def test_the_day_name_tells_the_century_of_a_short_year() -> None:
    assert parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT") == 0
    assert parse_http_date("Wednesday, 01-Jan-70 00:00:00 GMT") == parse_http_date(
        "Wed, 01 Jan 2070 00:00:00 GMT"
    )
    assert parse_http_date("Friday, 01-Jan-70 00:00:00 GMT") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
    ],
)
def test_anything_else_is_no_date(text: str) -> None:
    assert parse_http_date(text) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    parse_http_date(text)
