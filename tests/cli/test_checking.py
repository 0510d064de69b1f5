from __future__ import annotations

from pathlib import Path

from attrs import evolve

from virtreg.cli.checking import findings
from virtreg.config import Config, default_config
from virtreg.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.testing.fakes import FakeUpstream

FIRST = UpstreamSpec("first", "https://first.example.org")
SECOND = UpstreamSpec("second", "https://second.example.org")


def _config(*upstreams: UpstreamSpec) -> Config:
    registries = tuple(RegistrySpec(number, f"r{number}", "maven", upstreams) for number in (1, 2))
    return evolve(default_config(Path("/srv")), registries=registries)


def _opened(error: UpstreamError | None = None) -> tuple[list[FakeUpstream], type[FakeUpstream]]:
    opened: list[FakeUpstream] = []

    class Opened(FakeUpstream):
        def __init__(self, spec: UpstreamSpec) -> None:
            super().__init__(spec=spec)
            if error is not None:
                self.fail(error)
            opened.append(self)

    return opened, Opened


def test_each_upstream_is_asked_once_for_little_and_let_go() -> None:
    opened, open_upstream = _opened()
    lines = [str(finding) for finding in findings(_config(FIRST, SECOND), open_upstream)]

    assert lines == ["ok: upstream 'first': answered 404", "ok: upstream 'second': answered 404"]
    assert [[request.method for request in each.requests] for each in opened] == [["HEAD"]] * 2
    assert all(each.closed and each.replies[0].closed for each in opened)


def test_an_upstream_that_cannot_answer_is_a_problem() -> None:
    opened, open_upstream = _opened(UpstreamUnavailable("upstream 'first': connection refused"))
    (finding,) = findings(_config(FIRST), open_upstream)

    assert finding.broken
    assert str(finding) == "problem: upstream 'first': connection refused"
    assert opened[0].closed


def test_a_refusal_is_a_problem_unless_it_is_how_the_upstream_says_absent() -> None:
    _, open_upstream = _opened(UpstreamRefused("upstream 'first': 403 Forbidden"))
    lenient = evolve(FIRST, on_refused="absent")

    assert [finding.broken for finding in findings(_config(FIRST), open_upstream)] == [True]
    assert [finding.broken for finding in findings(_config(lenient), open_upstream)] == [False]
