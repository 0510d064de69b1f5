"""Notes of the journal are read as they were written, or not at all."""

from __future__ import annotations

import gzip

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.journalling import (
    Gone,
    Note,
    Writing,
    note_of,
    notes_of,
    parts_of,
    records_of,
    whole,
)
from virtreg.core.layout import is_note
from virtreg.model import Entry

HEX = "0123456789abcdef"
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
DIGESTS = st.text(HEX, max_size=128)
MAYBE = st.none() | TEXTS
TIMES = st.floats(0, 1e12)
ENTRIES = st.builds(
    Entry,
    source=TEXTS,
    path=TEXTS,
    sha256=st.text(HEX, min_size=64, max_size=64),
    size=st.integers(0, 2**62),
    sha1=DIGESTS,
    md5=DIGESTS,
    sha512=DIGESTS,
    content_type=MAYBE,
    etag=MAYBE,
    last_modified=MAYBE,
    created_at=TIMES,
    checked_at=TIMES,
    parts=TEXTS,
)
FIELDS = ", ".join(f'"{each.name}"' for each in fields(Entry)).encode()
RECORDS = st.lists(ENTRIES | st.builds(Gone, TEXTS, TEXTS, TIMES), max_size=8)
NOTES = st.builds(
    Note, st.integers(0, 10**15 - 1), st.text(HEX, min_size=8, max_size=8)
) | st.one_of(
    st.builds(Note, st.integers(0, 9), st.just("0" * 8), records=st.integers(0, 10**7 - 1)),
    st.builds(Note, st.integers(0, 9), st.just("1" * 8), part=st.integers(0, 10**6 - 1)),
)


def written(records: list[Entry | Gone]) -> bytes:
    note = Writing()
    for record in records:
        note.add(record)
    assert note.records == len(records)
    return note.content()


@given(RECORDS)
def test_records_are_read_as_they_were_written(records: list[Entry | Gone]) -> None:
    assert list(records_of(written(records))) == records


@given(RECORDS, st.data())
def test_a_note_that_is_cut_short_is_damaged(
    records: list[Entry | Gone], data: st.DataObject
) -> None:
    content = written(records)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ValueError, match="damaged"):
        list(records_of(content[:cut]))


@given(RECORDS, st.integers(0), st.integers(1, 255))
def test_a_changed_byte_never_makes_another_record(
    records: list[Entry | Gone], at: int, by: int
) -> None:
    content = bytearray(written(records))
    # The header of the compression holds nothing that is read (RFC 1952, 2.3.1).
    at = 10 + at % (len(content) - 10)
    content[at] ^= by
    with pytest.raises(ValueError):  # noqa: PT011 - many are right
        list(records_of(bytes(content)))


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"[]\n",
        b'{"journal": 2, "fields": []}\n',
        b'{"journal": 1, "fields": ["source"]}\n',
        b"[" * 100_000,
        b'{"journal": 1, "fields": [' + FIELDS + b', ["x"]]}\n' + b"[]\n",
        b'{"journal": 1, "fields": [' + FIELDS + b"]}\n" + b" " * 2**20,
    ],
)
def test_what_is_no_note_is_refused(lines: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - many are right
        list(records_of(gzip.compress(lines)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"size"', b'"sise"'),
        (b"12345", b"-1234"),
        (b"12345", b'"123"'),
        (b"f" * 64, b"F" * 64),
        (b"f" * 64, b"/../" * 16),
        (b'"a path"', b"null"),
        (b'"a path"', b'"\\ud800"'),
        (b"777.5", b"null"),
        (b"777.5", b"[1]"),
        (b"777.5", b"true"),
        (b"777.5", b"Infinity"),
        (b"777.5", b"NaN"),
        (b"777.5", b"-1"),
        (b"777.5", b"1" + b"0" * 400),
        (b"12345", b"1" + b"0" * 30),
        (b'"a path"', b'"a\\u0000path"'),
        (b'"abc"', b'"abc\\r\\nX-Other: 1"'),
        (b',"parts"]', b',"parts","x"]'),
    ],
)
def test_what_is_no_entry_is_refused(old: bytes, new: bytes) -> None:
    entry = Entry("s", "a path", "f" * 64, 12345, "abc", "", "", None, None, None, 777.5, 0.0)
    lines = gzip.decompress(written([entry]))
    assert old in lines
    with pytest.raises(ValueError):  # noqa: PT011 - many are right
        list(records_of(gzip.compress(lines.replace(old, new))))


@given(NOTES)
def test_a_name_tells_what_it_was_made_of(note: Note) -> None:
    assert is_note(str(note))
    assert note_of(str(note)) == note
    assert note_of(str(note)) is not None
    assert note.whole is (note.records is None and note.part is None)


def test_notes_are_in_the_order_of_their_stamps() -> None:
    notes = [Note(3, "0" * 8), Note(20, "f" * 8, records=7), Note(100, "1" * 8, part=0)]
    names = [str(note) for note in reversed(notes)]
    assert notes_of([*names, "journal/other", "x"]) == notes
    assert sorted(names) == [str(note) for note in notes]


def test_a_checkpoint_tells_its_parts() -> None:
    assert parts_of(whole(3, 250_000)) == (3, 250_000)
    for content in (
        b"",
        b"x",
        whole(3, 4)[:-1],
        gzip.compress(b"[]"),
        gzip.compress(b"{}"),
        gzip.compress(b" " * 100_000 + b'{"parts": 1, "entries": 1}'),
        gzip.compress(b'{"parts": 1, "entries": 1' + b"0" * 30 + b"}"),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - many are right
            parts_of(content)
