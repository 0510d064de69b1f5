"""Absence: told only when everybody says so, remembered only when it was said."""

from __future__ import annotations

import pytest

from tests.service.hub import DAY, FILE, OTHER, SMALL, MakeHub, down, fake
from virtreg.errors import (
    EgressRefused,
    IntegrityError,
    NotFound,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
)
from virtreg.model import Answered

TROUBLE = pytest.mark.parametrize(
    "trouble",
    [
        down(),
        UpstreamTimeout("no first byte in 30 s", upstream="a"),
        UpstreamThrottled("429 Too Many Requests", upstream="a", retry_after=1),
        UpstreamRefused("403 Forbidden", upstream="a"),
        IntegrityError("304 Not Modified to an unconditional request", upstream="a"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)


def test_not_found_names_what_every_upstream_said(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"), fake("b"))
    with pytest.raises(NotFound, match="in none of the upstreams of all") as caught:
        hub.get(FILE)
    assert caught.value.answers == (
        Answered("a", "absent", "404 Not Found"),
        Answered("b", "absent", "404 Not Found"),
    )


def test_an_absence_is_believed_for_its_time_and_no_longer(make_hub: MakeHub) -> None:
    a, b = fake("a", negative_validity_seconds=60), fake("b", negative_validity_seconds=90)
    hub = make_hub(a, b)
    with pytest.raises(NotFound) as first:
        hub.get(FILE)
    assert first.value.expires_at == hub.clock() + 60
    hub.clock.advance(59)
    with pytest.raises(NotFound) as second:
        hub.get(FILE)
    assert [answer.detail for answer in second.value.answers] == ["remembered 404"] * 2
    assert (a.count(FILE), b.count(FILE)) == (1, 1)
    hub.clock.advance(1)
    with pytest.raises(NotFound):
        hub.get(FILE)
    assert (a.count(FILE), b.count(FILE)) == (2, 1)


def test_an_absence_heard_before_the_clock_was_set_back_is_not_believed(
    make_hub: MakeHub,
) -> None:
    a = fake("a", negative_validity_seconds=60)
    hub = make_hub(a)
    with pytest.raises(NotFound):
        hub.get(FILE)
    a.put(FILE, SMALL)
    hub.clock.advance(-DAY)
    assert hub.get(FILE).body == SMALL


def test_a_validity_of_zero_remembers_no_absence(make_hub: MakeHub) -> None:
    a = fake("a", negative_validity_seconds=0)
    hub = make_hub(a)
    for _ in range(2):
        with pytest.raises(NotFound) as caught:
            hub.get(FILE)
        assert caught.value.expires_at <= hub.clock()
    assert a.count(FILE) == 2


def test_purging_forgets_the_absence(make_hub: MakeHub) -> None:
    a = fake("a")
    hub = make_hub(a)
    with pytest.raises(NotFound):
        hub.get(FILE)
    a.put(FILE, SMALL)
    assert hub.registry.purge(FILE) == 1
    assert hub.get(FILE).body == SMALL


def test_an_absence_is_remembered_per_upstream_and_path(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, SMALL)
    hub = make_hub(a, b)
    hub.pull(FILE)
    hub.index.drop(b.spec.key, FILE)
    hub.pull(FILE)
    assert (a.count(FILE), b.count(FILE)) == (1, 2)
    b.put(OTHER, SMALL)
    hub.pull(OTHER)
    assert a.count(OTHER) == 1


@TROUBLE
def test_trouble_is_never_an_absence(make_hub: MakeHub, trouble: UpstreamError) -> None:
    a, b = fake("a"), fake("b")
    a.fail(trouble)
    b.put(FILE, SMALL)
    hub = make_hub(a, b)
    with pytest.raises(type(trouble)) as caught:
        hub.get(FILE)
    assert caught.value.upstream == "a"
    assert caught.value.retry_after == trouble.retry_after
    assert caught.value.answers[0] == Answered("a", trouble.outcome, trouble.message)
    assert hub.works.negatives.until(a.spec.key, FILE, hub.clock()) == 0


@TROUBLE
def test_trouble_is_never_remembered_as_an_absence(
    make_hub: MakeHub, trouble: UpstreamError
) -> None:
    a = fake("a")
    a.fail(trouble)
    hub = make_hub(a)
    with pytest.raises(type(trouble)):
        hub.get(FILE)
    a.heal()
    a.put(FILE, SMALL)
    hub.clock.advance(2)
    assert hub.get(FILE).body == SMALL


def test_a_refusal_is_an_absence_where_the_upstream_is_known_to_refuse_what_it_lacks(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a", on_refused="absent"), fake("b")
    a.fail(UpstreamRefused("403 Forbidden", upstream="a"))
    b.put(FILE, SMALL)
    hub = make_hub(a, b)
    assert hub.get(FILE).body == SMALL


def test_no_absence_of_an_endless_path_is_remembered(make_hub: MakeHub) -> None:
    a = fake("a")
    hub = make_hub(a)
    path = f"org/example/{'x' * 300}/1.0/a.bin"
    for _ in range(2):
        with pytest.raises(NotFound):
            hub.get(path)
    assert a.count(path) == 2


def test_an_address_that_may_not_be_asked_is_never_an_absence(make_hub: MakeHub) -> None:
    a, b = fake("a", on_refused="absent"), fake("b")
    a.fail(EgressRefused("10.0.0.1 may not be reached", upstream="a"))
    b.put(FILE, SMALL)
    with pytest.raises(EgressRefused, match="may not be reached"):
        make_hub(a, b).get(FILE)


def test_a_registry_without_upstreams_says_so(make_hub: MakeHub) -> None:
    with pytest.raises(NotFound, match="registry all has no upstreams"):
        make_hub().get(FILE)
