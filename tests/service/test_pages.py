"""Members of merged documents that come in pages."""

from __future__ import annotations

import pytest

from tests.service.hub import Background, Hub, MakeHub, fake
from tests.service.lines import FIRST, MAX_BYTES, LinesFormat
from virtreg.errors import IntegrityError, UpstreamTimeout
from virtreg.service.pages import MOST_PAGES
from virtreg.testing.fakes import FakeUpstream
from virtreg.testing.gate import Gate

LIST = "x/list"
WIRE = "v9/x/list"


def publish(upstream: FakeUpstream, *pages: bytes) -> None:
    """Put the pages so that each links to the next."""
    for at, page in enumerate(pages):
        headers = {"next": f"n=2&page={at + 1}"} if at + 1 < len(pages) else {}
        upstream.put(f"{WIRE}?n=2&page={at}" if at else f"{WIRE}?n=2", page, headers=headers)


def queries(upstream: FakeUpstream) -> list[dict[str, str]]:
    assert {request.path for request in upstream.requests} == {WIRE}
    return [dict(request.query) for request in upstream.requests]


def make(make_hub: MakeHub, *upstreams: FakeUpstream) -> Hub:
    return make_hub(*upstreams, format=LinesFormat())


def test_every_page_of_every_upstream_is_in_the_merge(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    publish(a, b"1\n4", b"2\n5", b"3")
    publish(b, b"2", b"6")
    hub = make(make_hub, a, b)
    assert hub.get(LIST).body.split() == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert queries(a) == [dict(FIRST), {"n": "2", "page": "1"}, {"n": "2", "page": "2"}]


def test_what_is_kept_of_a_member_is_the_document_of_all_its_pages(make_hub: MakeHub) -> None:
    a = fake("a")
    publish(a, b"1", b"2")
    hub = make(make_hub, a, fake("b"))
    body = hub.get(LIST).body
    hub.flush()
    entry = hub.entry(a, LIST)
    assert entry is not None
    assert entry.size == len(body) == len(b"1\n2")
    stored = hub.works.body(entry)
    assert stored is not None
    with stored:
        assert b"".join(stored.read()) == body


def test_a_sole_page_passes_unchanged_and_is_revalidated(make_hub: MakeHub) -> None:
    a = fake("a")
    publish(a, b"2\r\n1  ")
    hub = make(make_hub, a, fake("b"))
    assert hub.get(LIST).body == b"2\r\n1  "
    hub.flush()
    hub.clock.advance(300)
    again = hub.get(LIST)
    assert (again.origin, again.body) == ("revalidated", b"2\r\n1  ")
    assert [reply.status for reply in a.replies] == [200, 304]


def test_a_change_behind_an_unchanged_first_page_is_seen(make_hub: MakeHub) -> None:
    a = fake("a")
    publish(a, b"1", b"2")
    hub = make(make_hub, a)
    hub.get(LIST)
    hub.flush()
    publish(a, b"1", b"2\n3")
    hub.clock.advance(300)
    assert hub.get(LIST).body == b"1\n2\n3"
    entry = hub.entry(a, LIST)
    assert entry is not None
    assert (entry.etag, entry.last_modified) == (None, None)


@pytest.mark.parametrize("back", ["n=2", "n=2&page=1"])
def test_pages_that_lead_back_are_no_document(make_hub: MakeHub, back: str) -> None:
    a = fake("a")
    publish(a, b"1", b"2", b"3")
    a.put(f"{WIRE}?n=2&page=2", b"3", headers={"next": back})
    hub = make(make_hub, a)
    with pytest.raises(IntegrityError, match="a links a page to one that came before") as caught:
        hub.get(LIST)
    assert caught.value.upstream == "a"
    assert len(a.requests) == 3
    assert hub.entry(a, LIST) is None


def test_a_document_has_a_bounded_number_of_pages(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    pages = [b"%d" % number for number in range(MOST_PAGES)]
    publish(a, *pages)
    publish(b, *pages, b"one more")
    assert make(make_hub, a).get(LIST).body == b"\n".join(pages)
    with pytest.raises(IntegrityError, match="b sends more than the 1000 pages"):
        make(make_hub, b).get(LIST)
    assert len(b.requests) == MOST_PAGES


def test_all_pages_together_are_bounded(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    half = b"x" * (MAX_BYTES // 2)
    publish(a, half, half)
    publish(b, half, half, b"x", b"never asked for")
    assert len(make(make_hub, a).get(LIST).body) == MAX_BYTES + 1
    with pytest.raises(IntegrityError, match=f"b sends more than the {MAX_BYTES} bytes"):
        make(make_hub, b).get(LIST)
    assert len(b.requests) == 3


def test_a_page_that_is_missing_or_no_page_breaks_the_member(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    publish(a, b"1", b"<html>")
    publish(b, b"1", b"2")
    b.remove(f"{WIRE}?n=2&page=1")
    for upstream, why in ((a, "a: sends a web page"), (b, "b no longer has")):
        with pytest.raises(IntegrityError, match=why):
            make(make_hub, upstream, fake("other")).get(LIST)


def test_pages_that_do_not_fit_together_are_told_with_their_upstream(make_hub: MakeHub) -> None:
    a = fake("a")
    publish(a, b"1", b"?")
    with pytest.raises(IntegrityError, match="do not fit") as caught:
        make(make_hub, a).get(LIST)
    assert caught.value.upstream == "a"
    assert [answer.outcome for answer in caught.value.answers] == ["corrupt"]


def test_a_member_whose_pages_broke_takes_part_with_its_last_good_document(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    publish(a, b"1", b"2")
    publish(b, b"3")
    hub = make(make_hub, a, b)
    hub.get(LIST)
    hub.flush()
    publish(a, b"1", b"!")
    publish(b, b"4")
    hub.clock.advance(300)
    got = hub.get(LIST)
    assert (got.origin, got.body) == ("stale", b"1\n2\n4")


def test_a_page_that_broke_off_goes_on_where_its_second_answer_says(make_hub: MakeHub) -> None:
    gate = Gate()
    a = fake("a")
    a.put(WIRE + "?n=2", b"b\nd", headers={"next": "n=2&last=d"}, cut_after=1, stall=gate)
    hub = make(make_hub, a)
    asking = Background(lambda: hub.get(LIST))
    gate.await_arrival()
    a.put(WIRE + "?n=2", b"b\nc", headers={"next": "n=2&last=c"})
    a.put(WIRE + "?n=2&last=c", b"d")
    a.put(WIRE + "?n=2&last=d", b"")
    gate.release()
    assert asking.result().body == b"b\nc\nd"


def test_all_pages_together_have_the_time_of_one_exchange(make_hub: MakeHub) -> None:
    slow = fake("slow", total_timeout=1e-9)
    publish(slow, b"1", b"2")
    with pytest.raises(UpstreamTimeout, match="slow did not send all pages in 1e-09 s"):
        make(make_hub, slow).get(LIST)


def test_a_sole_page_is_in_time(make_hub: MakeHub) -> None:
    slow = fake("slow", total_timeout=1e-9)
    publish(slow, b"1")
    assert make(make_hub, slow).get(LIST).body == b"1"
