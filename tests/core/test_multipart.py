from __future__ import annotations

from email.parser import BytesParser

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from virtreg.core.multipart import MultipartPlan, multipart
from virtreg.core.ranges import select_ranges


def written(plan: MultipartPlan, body: bytes) -> bytes:
    parts = [preamble + body[start:stop] for preamble, start, stop in plan.parts]
    return b"".join(parts) + plan.closing


@given(
    st.binary(min_size=1, max_size=60),
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70)), min_size=1, max_size=6),
    st.sampled_from([None, "application/java-archive", "text/plain; charset=utf-8"]),
)
def test_the_planned_length_is_the_length_produced(
    body: bytes, asked: list[tuple[int, int]], media_type: str | None
) -> None:
    header = "bytes=" + ",".join(f"{min(pair)}-{max(pair)}" for pair in asked)
    ranges = select_ranges(header, len(body))
    assume(ranges)
    assert ranges is not None
    plan = multipart("b0undary", media_type, ranges, len(body))
    assert plan.length == len(written(plan, body))
    assert [(start, stop) for _, start, stop in plan.parts] == list(ranges)


def test_a_mime_reader_finds_the_parts() -> None:
    body = bytes(range(97, 123))
    plan = multipart("THIS-IS-IT", "text/plain", ((0, 3), (20, 26)), len(body))
    text = b"Content-Type: " + plan.content_type.encode() + b"\r\n\r\n" + written(plan, body)
    message = BytesParser().parsebytes(text)
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert [part.get_payload() for part in parts] == ["abc", "uvwxyz"]
    assert [part["Content-Range"] for part in parts] == ["bytes 0-2/26", "bytes 20-25/26"]
    assert [part["Content-Type"] for part in parts] == ["text/plain", "text/plain"]
    assert message.defects == []


@pytest.mark.parametrize("boundary", ["", "a b", 'a"b', "a\r\nX: y", "a" * 71, "é"])
def test_a_boundary_that_needs_quoting_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        multipart(boundary, None, ((0, 1),), 10)


@pytest.mark.parametrize("media_type", ["", " ", "text/plain\r\nX-Other: y", "text/plain\x00", "é"])
def test_a_media_type_that_is_no_header_value_is_refused(media_type: str) -> None:
    with pytest.raises(ValueError, match="media_type"):
        multipart("b", media_type, ((0, 1),), 10)
