"""What upstreams are asked is told, and is answered as before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from attrs import define

from virtreg.backends.observers.exchanges import ObservedUpstream
from virtreg.errors import UpstreamTimeout, UpstreamUnavailable
from virtreg.events import Event, UpstreamAsked, UpstreamRead
from virtreg.model import Fetch
from virtreg.protocols import Reply, Upstream
from virtreg.testing.fakes import FakeUpstream
from virtreg.testing.upstreams import UpstreamSuite

PATH = "a/b/1/b-1.pom"
BODY = b"<project/>"


class TestObservedUpstream(UpstreamSuite):
    @contextmanager
    def make_upstream(self, files: dict[str, bytes]) -> Iterator[Upstream]:
        with closing(ObservedUpstream(FakeUpstream(files), lambda _: None)) as made:
            yield made


@define
class Ticking:
    """Each look at it is half a second later."""

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


def observed(upstream: FakeUpstream) -> tuple[ObservedUpstream, list[Event]]:
    told: list[Event] = []
    return ObservedUpstream(upstream, told.append, clock=Ticking()), told


def _drain(reply: Reply) -> None:
    while reply.read(4):
        pass


def test_an_answer_and_its_body_are_told() -> None:
    upstream, told = observed(FakeUpstream({PATH: BODY}))
    name = upstream.spec.name
    reply = upstream.fetch(Fetch(PATH))
    assert told == [UpstreamAsked("", PATH, name, "found", 0.5)]
    _drain(reply)
    reply.close()
    reply.close()
    assert told[1:] == [UpstreamRead("", PATH, name, len(BODY), 0.5)]


def test_absence_is_told() -> None:
    upstream, told = observed(FakeUpstream({}))
    upstream.fetch(Fetch(PATH)).close()
    assert [event.outcome for event in told if isinstance(event, UpstreamAsked)] == ["absent"]


def test_what_could_not_be_had_is_told_by_its_code() -> None:
    fake = FakeUpstream({PATH: BODY})
    upstream, told = observed(fake)
    fake.fail(UpstreamTimeout("too slow", upstream="fake"))
    with pytest.raises(UpstreamTimeout):
        upstream.fetch(Fetch(PATH))
    assert told == [UpstreamAsked("", PATH, upstream.spec.name, "upstream_timeout", 0.5)]


def test_a_body_that_breaks_off_is_told() -> None:
    fake = FakeUpstream({PATH: BODY})
    upstream, told = observed(fake)
    fake.put(PATH, BODY, cut_after=4)
    reply = upstream.fetch(Fetch(PATH))
    with pytest.raises(UpstreamUnavailable):
        _drain(reply)
    reply.close()
    assert told[1:] == [UpstreamRead("", PATH, upstream.spec.name, 4, 0.5, "upstream_unavailable")]
