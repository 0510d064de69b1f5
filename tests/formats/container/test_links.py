"""Links to the next page."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.errors import IntegrityError
from virtreg.formats.container.links import next_link, next_query
from virtreg.model import Query

fields = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
queries = st.lists(st.tuples(fields.filter(bool), fields), min_size=1, max_size=5).map(tuple)


@given(queries)
def test_a_link_leads_to_its_query(query: Query) -> None:
    ((name, value),) = next_link("/v2/a/tags/list", query)
    assert name == "Link"
    assert value.isascii()
    assert next_query(value) == query


@pytest.mark.parametrize(
    ("link", "query"),
    [
        ('</v2/a/tags/list?last=b&n=2>; rel="next"', (("last", "b"), ("n", "2"))),
        ("<https://r.example/x?n=2>;rel=next", (("n", "2"),)),
        ('<?token=a%2Fb&empty=>; title="x, y"; REL="prev Next"', (("token", "a/b"), ("empty", ""))),
        ('</first?a=1>; rel="first", </next?b=2>; rel="next"', (("b", "2"),)),
        ('</a?x=1,2>; rel="next"', (("x", "1,2"),)),
        ('</a?b=1>; rel="prev"', None),
        ("</a?b=1>", None),
        ('</a?b=1>; title="rel=next"', None),
        ("</a?b=1>; nrel=next", None),
        ('/a?b=1; rel="next"', None),
        ("", None),
    ],
)
def test_only_the_query_of_the_next_page_counts(link: str, query: Query | None) -> None:
    assert next_query(link) == query


@pytest.mark.parametrize(
    "link",
    [
        '</a>; rel="next"',
        '</a?>; rel="next"',
        '</a?b=%ff>; rel="next"',
        "<//[?b=1>; rel=next",
        "<?" + "&".join(f"k{at}=1" for at in range(17)) + ">; rel=next",
    ],
)
def test_a_next_page_that_cannot_be_asked_for_is_not_taken_for_the_end(link: str) -> None:
    with pytest.raises(IntegrityError, match="next"):
        next_query(link)


@given(st.text(st.sampled_from('<>?=&;,"\\ reln x%'), max_size=40))
def test_any_link_is_read_or_refused(link: str) -> None:
    with suppress(IntegrityError):
        assert next_query(link) != ()


@pytest.mark.parametrize("unit", ['<>\\"', '"<>\\', "<>", "<", '<>;rel="', '"', "\\", '<>,"'])
def test_a_header_of_the_greatest_length_is_read_at_once(unit: str) -> None:
    header = unit * (65536 // len(unit))
    begun = time.thread_time()
    assert next_query(header) is None
    assert time.thread_time() - begun < 2
