from __future__ import annotations

import json
import logging

from virtreg.cli.logs import JsonLines
from virtreg.errors import StorageError


def _record(**extra: object) -> logging.LogRecord:
    record = logging.LogRecord("virtreg.access", logging.INFO, "", 0, "%s", ("GET",), None)
    vars(record).update(extra)
    record.created = 1_700_000_000.25
    return record


def test_a_record_is_one_line_with_its_facts() -> None:
    line = JsonLines().format(_record(status=200, path="a\nb"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "info",
        "logger": "virtreg.access",
        "message": "GET",
        "status": 200,
        "path": "a\nb",
    }


def test_a_record_of_the_past_has_the_time_it_is_about() -> None:
    facts = json.loads(JsonLines().format(_record(at=1_600_000_000.5)))
    assert facts["time"] == "2020-09-13T12:26:40.500Z"
    assert "at" not in facts


def test_a_fact_that_is_not_json_is_written_as_text() -> None:
    assert json.loads(JsonLines().format(_record(where={1j})))["where"] == "{1j}"


def test_an_exception_is_part_of_the_line() -> None:
    try:
        raise LookupError("gone")
    except LookupError as error:
        record = _record()
        record.exc_info = (LookupError, error, error.__traceback__)
    assert json.loads(JsonLines().format(record))["exception"].endswith("LookupError: gone")


def test_what_a_store_says_needs_no_traceback() -> None:
    try:
        raise StorageError("cannot read a: EIO")
    except StorageError as error:
        record = _record()
        record.exc_info = (StorageError, error, error.__traceback__)
    assert json.loads(JsonLines().format(record))["exception"] == "cannot read a: EIO"
