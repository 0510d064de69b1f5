"""Reading metadata safely, and printing what was read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.maven import documents
from virtreg.errors import IntegrityError
from virtreg.formats.maven.markup import (
    MAX_ATTRIBUTES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_ELEMENTS,
    parse,
)
from virtreg.formats.maven.metadata import Metadata, read
from virtreg.formats.maven.printing import write

LAUGHS = (
    b'<!DOCTYPE m [<!ENTITY l0 "lol">'
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]><metadata><version>&l9;</version></metadata>"
)
"""A text of a few hundred bytes that stands for three billion."""


@given(documents.metadata)
def test_what_is_printed_reads_back(metadata: Metadata) -> None:
    assert read(write(metadata)) == metadata


def test_the_printed_form() -> None:
    printed = write(read(documents.snapshot("20240101.000000", ("sources", "v", "20240101000000"))))
    assert printed.decode().splitlines() == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<metadata modelVersion="1.1.0">',
        "  <groupId>com.acme</groupId>",
        "  <artifactId>app</artifactId>",
        "  <version>1.0-SNAPSHOT</version>",
        "  <versioning>",
        "    <snapshot>",
        "      <timestamp>20240101.000000</timestamp>",
        "      <buildNumber>1</buildNumber>",
        "    </snapshot>",
        "    <lastUpdated>20240101000000</lastUpdated>",
        "    <snapshotVersions>",
        "      <snapshotVersion>",
        "        <classifier>sources</classifier>",
        "        <extension>jar</extension>",
        "        <value>v</value>",
        "        <updated>20240101000000</updated>",
        "      </snapshotVersion>",
        "    </snapshotVersions>",
        "  </versioning>",
        "</metadata>",
    ]
    assert printed.endswith(b">\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_declared_encodings_are_read(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><metadata><groupId>é</groupId></metadata>'
    assert read(text.encode(encoding)).group_id == "é"


def test_split_sections_are_read_together() -> None:
    read_back = read(
        b"<metadata><versioning><versions><version> 1 </version></versions></versioning>"
        b"<versioning><versions><version/><version>2</version></versions></versioning></metadata>"
    )
    assert read_back.versions == ("1", "2")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "not well-formed XML: no element found"),
        (b"<metadata>", "not well-formed XML: no element found"),
        (b"<metadata/><more/>", "not well-formed XML: junk after document element"),
        (b"not xml", "not well-formed XML"),
        (b"\xff\xfe\xfd", "not well-formed XML"),
        (b"<metadata>\xe9</metadata>", "not well-formed XML"),
        (b"<metadata>&undefined;</metadata>", "not well-formed XML: undefined entity"),
        (b'<?xml version="1.0" encoding="no-such"?><metadata/>', "not "),
        (b'<?xml version="1.0" encoding="shift_jis"?><metadata/>', "known encoding"),
        (b"<!DOCTYPE metadata><metadata/>", "DOCTYPE"),
        (b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><m>&x;</m>', "DOCTYPE"),
        (b'<!DOCTYPE m [<!ENTITY a "b">]><m>&a;</m>', "DOCTYPE"),
        (LAUGHS, "DOCTYPE"),
        (LAUGHS.decode().encode("utf-16"), "DOCTYPE"),
        (b'<!DOCTYPE m [<!ENTITY % p SYSTEM "http://example.org/x"> %p;]><m/>', "DOCTYPE"),
        (b"<!DOCTYPE m [<!ATTLIST m a CDATA 'b'>]><m/>", "DOCTYPE"),
        (b"<html><body/></html>", "root element is <html>, not <metadata>"),
        (b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1), "nested more than 16 deep"),
        (b"<m>" + b"<a/>" * MAX_ELEMENTS + b"</m>", "more than 100000 elements"),
        (
            b"<m " + b" ".join(b"a%d=''" % n for n in range(MAX_ATTRIBUTES + 1)) + b"/>",
            "attributes",
        ),
        (b"<metadata>" + b" " * MAX_BYTES + b"</metadata>", "more than 5242880"),
        (b"<metadata><version>" + b"1" * 1025 + b"</version></metadata>", "more than 1024"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_unusable_documents_say_why(document: bytes, reason: str) -> None:
    with pytest.raises(IntegrityError, match=reason):
        read(document)


def test_a_reason_does_not_repeat_what_it_found_at_length() -> None:
    documents = [
        b'<?xml version="1.0" encoding="' + b"x" * 100_000 + b'"?><metadata/>',
        b"<" + b"x" * 100_000 + b"/>",
        b"<metadata><"
        + b"x" * 100_000
        + b">"
        + b"y" * 2000
        + b"</"
        + b"x" * 100_000
        + b"></metadata>",
        b"<metadata>&" + b"x" * 100_000 + b";</metadata>",
    ]
    for document in documents:
        with pytest.raises(IntegrityError) as caught:
            read(document)
        assert len(caught.value.message) < 300


pieces = st.sampled_from(
    [
        *(b"<metadata>", b"</metadata>", b"<versioning>", b"<versions>", b"<version>1"),
        *(b"</version>", b"<!DOCTYPE a>", b"<?xml version='1.0'?>", b"<![CDATA[", b"]]>"),
        *(b"&amp;", b"&#0;", b"<!--", b"\xef\xbb\xbf", b"\xff\xfe", b"<a b='c'/>", b"</"),
    ]
)


@given(st.one_of(st.binary(), st.lists(pieces, max_size=12).map(b"".join)))
def test_any_bytes_are_read_or_refused_as_corrupt(document: bytes) -> None:
    try:
        metadata = read(document)
    except IntegrityError:
        return
    assert parse(document).name == "metadata"
    assert read(write(metadata)) == metadata
