"""The union of the prefix lists, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.errors import NotFound
from virtreg.formats.maven.prefixes import HEADER, merge


def listing(*prefixes: str) -> bytes:
    return "\n".join([HEADER, "# a comment", "", *prefixes]).encode()


def test_lists_are_united_and_sorted() -> None:
    merged = merge([("a", listing("/org/b", "/com/acme")), ("b", listing("/com/acme", "/a"))])
    assert merged == f"{HEADER}\n/a\n/com/acme\n/org/b\n".encode()


def test_line_ends_and_a_byte_order_mark_are_read() -> None:
    windows = b"\xef\xbb\xbf" + listing("/b").replace(b"\n", b"\r\n")
    assert merge([("a", windows), ("b", listing("/a"))]) == f"{HEADER}\n/a\n/b\n".encode()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (listing("/a", "@ unsupported"), "it says '@ unsupported'"),
        (b"@ unsupported", "its first line is not"),
        (b"", "its first line is not"),
        (b"/a\n", "its first line is not"),
        (listing("a"), "the line 'a', which is no prefix"),
        (listing("/"), "the line '/', which is no prefix"),
        (listing("/a b"), "which is no prefix"),
        (b"\xff", "it is not UTF-8"),
    ],
)
def test_one_unusable_list_leaves_no_union(document: bytes, reason: str) -> None:
    for members in ([("bad", document)], [("good", listing("/a")), ("bad", document)]):
        with pytest.raises(NotFound, match="of bad cannot be merged") as caught:
            merge(members)
        assert reason in caught.value.message


lists = st.lists(st.sampled_from(["/a", "/a/b", "/c", "/d/e/"]), max_size=4).map(
    lambda prefixes: listing(*prefixes)
)


@given(st.lists(lists, min_size=1, max_size=3))
def test_merging_again_changes_nothing(members: list[bytes]) -> None:
    merged = merge([("u", member) for member in members])
    assert merge([("m", merged)]) == merge([("m", merged), ("n", merged)]) == merged
    assert all(line in merged for member in members for line in member.split() if b"/" in line[:1])


@given(st.lists(st.binary(), min_size=1, max_size=3))
def test_any_bytes_merge_or_are_no_union(members: list[bytes]) -> None:
    try:
        merged = merge([(f"u{i}", member) for i, member in enumerate(members)])
    except NotFound:
        return
    assert merged.startswith((HEADER.encode(), b"\xef\xbb\xbf"))
