"""Outside JSON, read within bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.errors import IntegrityError
from virtreg.formats.container import tags
from virtreg.formats.container.documents import MAX_DEPTH, MAX_LIST_BYTES, MAX_VALUES, read, write

LEAVES = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.dictionaries(st.text(), LEAVES | st.lists(LEAVES, max_size=3), max_size=3)


@given(DOCUMENTS)
def test_what_is_written_can_be_read(members: dict[str, object]) -> None:
    assert read(write(members), MAX_LIST_BYTES) == members


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1e999}', "too large"),
        ('{"a": -1e999}', "too large"),
        ('{"a": NaN}', "no number"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
        ('{"a": "' + "\\\\" * 2 + "[" * 70, "no JSON"),
        ('{"a": "' + '\\"' * 200_000 + "[" * 70, "no JSON"),
        ('{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "deep"),
        ("[" * 100_000, "deep"),
        ('{"a": [' + "[]," * (MAX_VALUES // 2) + "[]]}", "values"),
        ('{"a": [' + "1," * MAX_VALUES + "1]}", "values"),
    ],
    ids=lambda value: value[:20],
)
def test_what_would_cost_too_much_or_is_no_json_is_refused(text: str, reason: str) -> None:
    with pytest.raises(IntegrityError, match=reason):
        read(text.encode(), MAX_LIST_BYTES)


def test_as_deep_as_is_allowed_is_read() -> None:
    inner = MAX_DEPTH - 1
    text = '{"a": ' + "[" * inner + "]" * inner + ', "b": "' + "[" * 100 + '"}'
    assert read(text.encode(), MAX_LIST_BYTES)["b"] == "[" * 100


def test_a_list_of_more_tags_than_anybody_has_is_refused() -> None:
    many = [f"t{number}" for number in range(tags.MAX_TAGS + 1)]
    with pytest.raises(IntegrityError, match="more than 500000 tags"):
        tags.parse(json.dumps({"tags": many}).encode())
    with pytest.raises(IntegrityError, match="more than 500000 tags"):
        tags.combine("app", [many[:-1], many[-1:]])
