"""Upstreams that are down: who may be passed, and how it is told."""

from __future__ import annotations

from typing import NoReturn

import pytest

from tests.service.hub import FILE, SMALL, Background, MakeHub, down, fake
from virtreg.errors import UpstreamTimeout, UpstreamUnavailable
from virtreg.events import UpstreamFailed
from virtreg.model import Answered, Fetch, UpstreamSpec
from virtreg.testing.fakes import FakeUpstream
from virtreg.testing.gate import Gate


class Faulty(FakeUpstream):
    """Somebody's plug-in with a bug."""

    def fetch(self, request: Fetch) -> NoReturn:
        raise ZeroDivisionError(f"secret of {request.path}")


def test_nobody_below_a_broken_upstream_answers(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.fail(down())
    b.put(FILE, SMALL)
    hub = make_hub(a, b)
    refused = f"whether {FILE} exists cannot be told: a is"
    with pytest.raises(UpstreamUnavailable, match=refused) as caught:
        hub.get(FILE)
    assert caught.value.barred


def test_a_broken_upstream_bars_nobody_when_there_is_nobody_below_it(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    b.fail(down("b"))
    for hub in (make_hub(a, b), make_hub(b)):
        with pytest.raises(UpstreamUnavailable, match="b is down") as caught:
            hub.get(FILE)
        assert not caught.value.barred


def test_a_broken_upstream_below_the_one_that_has_it_does_not_matter(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(FILE, SMALL)
    b.fail(down("b"))
    assert make_hub(a, b).get(FILE).body == SMALL


def test_a_broken_upstream_is_passed_where_that_is_wanted(make_hub: MakeHub) -> None:
    a, b = fake("a", on_error="continue"), fake("b")
    a.fail(down())
    b.put(FILE, SMALL)
    assert make_hub(a, b).get(FILE).body == SMALL


def test_passing_a_broken_upstream_does_not_make_the_path_absent(make_hub: MakeHub) -> None:
    a, b = fake("a", on_error="continue"), fake("b")
    a.fail(down())
    hub = make_hub(a, b)
    with pytest.raises(UpstreamUnavailable) as caught:
        hub.get(FILE)
    assert caught.value.answers == (
        Answered("a", "unavailable", "a is down"),
        Answered("b", "absent", "404 Not Found"),
    )


def test_the_error_has_the_answers_in_order_of_position(make_hub: MakeHub) -> None:
    first, last = Gate(), Gate()
    a, b, c = fake("a", on_error="continue"), fake("b"), fake("c")
    a.put(FILE, SMALL, hold=last)
    a.fail(UpstreamTimeout("a is slow", upstream="a"), FILE)
    c.put(FILE, SMALL, hold=first)
    c.fail(down("c"), FILE)
    hub = make_hub(a, b, c)
    asking = Background(lambda: hub.get(FILE))
    first.await_arrival()
    first.release()
    last.await_arrival()
    last.release()
    with pytest.raises(UpstreamUnavailable) as caught:
        asking.result()
    said = [(answer.upstream, answer.outcome) for answer in caught.value.answers]
    assert said == [("a", "timeout"), ("b", "absent"), ("c", "unavailable")]
    assert caught.value.upstream == "c"


def test_each_failure_is_told_as_an_event(make_hub: MakeHub) -> None:
    a = fake("a")
    a.fail(down())
    hub = make_hub(a)
    with pytest.raises(UpstreamUnavailable):
        hub.get(FILE)
    answer = Answered("a", "unavailable", "a is down")
    assert hub.events.of(UpstreamFailed) == [UpstreamFailed("all", FILE, answer)]


def test_a_plug_in_with_a_bug_is_a_broken_upstream_and_its_words_stay_inside(
    make_hub: MakeHub,
) -> None:
    a = Faulty(spec=UpstreamSpec("a", "http://a.invalid"))
    b = fake("b")
    b.put(FILE, SMALL)
    with pytest.raises(UpstreamUnavailable, match="a failed: ZeroDivisionError") as caught:
        make_hub(a, b).get(FILE)
    assert "secret" not in str(caught.value)


def test_an_observer_that_fails_disturbs_nobody(
    make_hub: MakeHub, caplog: pytest.LogCaptureFixture
) -> None:
    def observer(event: object) -> None:
        raise ZeroDivisionError

    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a, observers=[observer])
    assert hub.pull(FILE).body == SMALL
    assert "an observer failed on Filled" in caplog.text
