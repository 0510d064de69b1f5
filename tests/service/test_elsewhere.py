"""Members of merged documents that are kept in another place, or nowhere."""

from __future__ import annotations

import pytest

from tests.service.hub import DAY, Hub, MakeHub, down, fake
from tests.service.lines import LinesFormat
from virtreg.errors import (
    NotFound,
    UpstreamDenied,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from virtreg.events import Merged
from virtreg.model import Secret
from virtreg.service.walking import DENIED
from virtreg.testing.fakes import FakeUpstream

LIST = "x/list"
WIRE = "v9/x/list"
OLD = "v9/x/old"


def make(make_hub: MakeHub, *upstreams: FakeUpstream, empty: bytes | None = None) -> Hub:
    return make_hub(*upstreams, format=LinesFormat(old=True, empty=empty))


def test_a_member_that_does_not_know_the_path_is_asked_elsewhere(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(WIRE, b"1")
    a.put(OLD, b"never asked for")
    b.put(OLD, b"2")
    hub = make(make_hub, a, b)
    assert hub.get(LIST).body == b"1\n2"
    assert (a.count(OLD), b.count(WIRE), b.count(OLD)) == (0, 1, 1)
    assert b.requests[-1].query == ()


def test_what_was_elsewhere_is_kept_as_the_member(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(OLD, b"1")
    hub = make(make_hub, a)
    hub.get(LIST)
    hub.flush()
    entry = hub.entry(a, LIST)
    assert entry is not None
    assert (entry.size, entry.etag) == (1, None)
    assert hub.entry(a, "x/old") is None
    a.fail(down())
    hub.clock.advance(299)
    assert hub.get(LIST).origin == "hit"
    hub.clock.advance(1)
    assert hub.get(LIST).origin == "stale"


@pytest.mark.parametrize(
    "refusal",
    [
        UpstreamError("a says 400 Bad Request", upstream="a"),
        UpstreamDenied("a says 401 Unauthorized", upstream="a"),
    ],
    ids=["another 4xx", "denied to strangers"],
)
def test_a_member_that_does_not_take_the_question_is_asked_elsewhere(
    make_hub: MakeHub, refusal: UpstreamError
) -> None:
    a = fake("a")
    a.fail(refusal, WIRE)
    a.put(OLD, b"1")
    assert make(make_hub, a).get(LIST).body == b"1"


@pytest.mark.parametrize(
    "failure", [UpstreamUnavailable, UpstreamTimeout, UpstreamThrottled, UpstreamRefused]
)
def test_a_broken_member_is_not_asked_elsewhere(
    make_hub: MakeHub, failure: type[UpstreamError]
) -> None:
    a = fake("a")
    a.fail(failure("a is not well", upstream="a"), WIRE)
    a.put(OLD, b"1")
    with pytest.raises(failure):
        make(make_hub, a).get(LIST)
    assert a.count(OLD) == 0


def test_a_member_with_credentials_that_is_denied_is_not_asked_elsewhere(
    make_hub: MakeHub,
) -> None:
    a = fake("a", username="me", password=Secret("pass"))
    a.fail(UpstreamDenied("a says 403 Forbidden", upstream="a"), WIRE)
    a.put(OLD, b"1")
    with pytest.raises(UpstreamDenied):
        make(make_hub, a).get(LIST)
    assert a.count(OLD) == 0


def test_a_member_that_breaks_elsewhere_is_broken(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.fail(down(), OLD)
    b.put(WIRE, b"2")
    with pytest.raises(UpstreamUnavailable, match="a is down"):
        make(make_hub, a, b).get(LIST)


def test_a_member_that_has_it_nowhere_is_remembered(make_hub: MakeHub) -> None:
    a, b = fake("a", negative_validity_seconds=1000), fake("b")
    b.put(WIRE, b"2")
    hub = make(make_hub, a, b)
    for _ in range(4):
        assert hub.get(LIST).body == b"2"
        hub.flush()
        hub.clock.advance(300)
    assert (a.count(WIRE), a.count(OLD), b.count(WIRE)) == (1, 1, 4)
    hub.get(LIST)
    assert (a.count(WIRE), a.count(OLD)) == (2, 2)


@pytest.mark.parametrize("denied", [(WIRE, OLD), (WIRE,), (OLD,)])
def test_what_is_kept_from_strangers_is_asked_for_again_soon(
    make_hub: MakeHub, denied: tuple[str, ...]
) -> None:
    a = fake("a")
    for path in denied:
        a.fail(UpstreamDenied("a says 401 Unauthorized", upstream="a"), path)
    hub = make(make_hub, a)
    with pytest.raises(NotFound) as caught:
        hub.get(LIST)
    assert caught.value.expires_at == hub.clock() + DENIED
    assert (a.count(WIRE), a.count(OLD)) == (1, 1)


def test_validators_of_one_place_are_never_shown_to_the_other(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(OLD, b"1", etag='"same"')
    hub = make(make_hub, a)
    hub.get(LIST)
    hub.flush()
    a.put(WIRE, b"2", etag='"same"')
    hub.clock.advance(300)
    assert hub.get(LIST).body == b"2"
    hub.flush()
    a.remove(WIRE)
    hub.clock.advance(300)
    assert hub.get(LIST).body == b"1"
    assert {reply.status for reply in a.replies} == {200, 404}


@pytest.mark.parametrize("on_missing", ["keep", "drop"])
def test_a_copy_that_is_now_in_neither_place_is_kept_or_dropped_as_configured(
    make_hub: MakeHub, on_missing: str
) -> None:
    a, b = fake("a", on_missing=on_missing), fake("b")
    a.put(OLD, b"1")
    b.put(WIRE, b"2")
    hub = make(make_hub, a, b)
    hub.get(LIST)
    hub.flush()
    a.remove(OLD)
    hub.clock.advance(300)
    assert hub.get(LIST).body == (b"1\n2" if on_missing == "keep" else b"2")


def test_elsewhere_is_a_place_of_the_upstreams_own(make_hub: MakeHub) -> None:
    a, b = fake("a", default_namespace="library"), fake("b")
    a.put("v9/library/x/old", b"1")
    b.put(OLD, b"2")
    hub = make(make_hub, a, b)
    assert hub.get(LIST).body == b"1\n2"
    hub.flush()
    assert hub.entry(a, "library/x/list") is not None
    assert hub.entry(a, LIST) is None
    assert hub.entry(b, LIST) is not None


def test_nothing_anywhere_is_a_document_that_is_kept(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    hub = make(make_hub, a, b, empty=b"nothing")
    cold = hub.get(LIST)
    hub.flush()
    hub.clock.advance(299)
    warm = hub.get(LIST)
    assert (cold.origin, warm.origin) == ("merged", "hit")
    assert cold.body == warm.body == b"nothing"
    assert cold.expires_at == warm.expires_at == hub.clock() + 1
    assert hub.events.of(Merged) == [Merged("all", LIST, 0, ())]
    assert [request.path for request in a.requests] == [WIRE, OLD]


def test_nothing_gives_way_to_the_first_document(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    hub = make(make_hub, a, b, empty=b"nothing")
    hub.get(LIST)
    hub.flush()
    hub.clock.advance(300)
    still = hub.get(LIST)
    assert (still.origin, still.body) == ("revalidated", b"nothing")
    assert still.expires_at == hub.clock() + 300
    b.put(OLD, b"1")
    hub.clock.advance(300)
    assert hub.get(LIST).body == b"1"
    hub.flush()
    hub.clock.advance(DAY)
    assert hub.get(LIST).body == b"1"


@pytest.mark.parametrize("on_error", ["stop", "continue"])
def test_nothing_is_not_told_while_a_broken_upstream_may_have_something(
    make_hub: MakeHub, on_error: str
) -> None:
    a, b = fake("a", on_error=on_error), fake("b")
    a.fail(down())
    hub = make(make_hub, a, b, empty=b"nothing")
    with pytest.raises(UpstreamUnavailable, match="cannot be told"):
        hub.get(LIST)


def test_a_registry_without_upstreams_has_not_even_nothing(make_hub: MakeHub) -> None:
    with pytest.raises(NotFound, match="no upstreams"):
        make(make_hub, empty=b"nothing").get(LIST)


def test_what_no_upstream_has_is_absent_where_nothing_is_no_document(make_hub: MakeHub) -> None:
    hub = make(make_hub, fake("a", negative_validity_seconds=50), fake("b"))
    with pytest.raises(NotFound) as caught:
        hub.get(LIST)
    assert caught.value.expires_at == hub.clock() + 50
