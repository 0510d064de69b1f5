"""Which request it was: in the answer, the log, and at the upstream."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wsgi.conftest import Sites
from tests.wsgi.doors import called
from tests.wsgi.sites import JAR, METADATA, POM, Site
from virtreg import Config, RegistrySpec, ServerConfig, StorageConfig, UpstreamSpec, build
from virtreg.correlation import chosen, request_id
from virtreg.errors import VirtregError
from virtreg.events import Event, Filled, FillFailed, UpstreamAsked, UpstreamRead
from virtreg.testing.origin import Origin

NAME = "X-Request-Id"
GIVEN = {NAME: "caller-7f3a.1"}


class Heard(logging.Handler):
    """Records, with the id of the request they were made for."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = getattr(record, "request_id", "") or request_id()
        self.ids.append((record.name, told))


@pytest.fixture
def heard() -> Iterator[Heard]:
    logger = logging.getLogger("virtreg")
    access = logging.getLogger("virtreg.access")
    before = logger.level, access.disabled, access.level
    handler = Heard()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    access.setLevel(logging.INFO)
    access.disabled = False
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before[0])
    access.disabled = before[1]
    access.setLevel(before[2])


def test_every_answer_that_was_not_ready_has_an_id_of_its_own(site: Site) -> None:
    answers = [
        site.get(POM),
        site.get("absent.pom"),
        site.get("a/../b"),
        site.get(JAR, {"Range": "bytes=0-1"}),
        site.get(JAR, {"Range": "bytes=99999999-"}),
        site.door.ask("GET", "/-/health"),
        site.door.ask("GET", "/nowhere"),
        site.door.ask("POST", f"/maven/solo/{POM}"),
    ]
    ids = [answer[NAME] for answer in answers]
    assert len(set(ids)) == len(answers)
    assert all(len(one) == 16 for one in ids)


def test_an_answer_that_is_ready_has_none_unless_its_caller_gave_one(site: Site) -> None:
    site.make_ready(POM)
    assert NAME not in site.get(POM)
    assert site.get(POM, GIVEN)[NAME] == GIVEN[NAME]
    assert site.head(POM, GIVEN)[NAME] == GIVEN[NAME]


def test_the_callers_id_is_taken(site: Site) -> None:
    assert site.get(POM, GIVEN)[NAME] == GIVEN[NAME]
    assert site.get("absent.pom", GIVEN)[NAME] == GIVEN[NAME]


@pytest.mark.parametrize("odd", ["", "a b", "a,b", "x" * 129, "<b>", "-a", "a;b", "caf\xe9"])
def test_an_id_that_is_none_is_replaced(quick_site: Site, odd: str) -> None:
    told = quick_site.get(POM, {NAME: odd})[NAME]
    assert told != odd
    assert len(told) == 16


@given(st.text())
def test_an_id_is_always_one_token(text: str) -> None:
    told = chosen(text)
    assert 0 < len(told) <= 128
    assert told.isascii()
    assert told.isprintable()
    assert not set(told) & set(' ",;<>\\()[]{}')
    assert chosen(told) == told


def test_the_upstream_learns_the_id(site: Site) -> None:
    told = site.fill(POM)[NAME]
    site.fill(JAR)
    asked = [seen for seen in site.near.requests if seen.path.startswith(POM)]
    assert asked
    assert {seen.headers["x-request-id"] for seen in asked} == {told}


def test_all_upstreams_that_are_asked_at_the_same_time_learn_the_id(site: Site) -> None:
    told = site.get(METADATA, GIVEN, registry="main")[NAME]
    for origin in (site.near, site.far):
        asked = [seen for seen in origin.requests if seen.path.endswith("metadata.xml")]
        assert [seen.headers["x-request-id"] for seen in asked] == [told]


def test_the_access_log_names_the_request(sites: Sites, heard: Heard) -> None:
    site = sites(server=ServerConfig(access_log=True))
    cold = site.get(POM)[NAME]
    site.witness.await_filled(POM)
    absent = site.get("absent.pom")[NAME]
    site.get(POM, GIVEN)
    site.get(POM, GIVEN)
    site.assembly.ledger.flush()
    told = [one for name, one in heard.ids if name == "virtreg.access"]
    assert told == [cold, absent, GIVEN[NAME], GIVEN[NAME]]


def test_what_happens_behind_an_answer_names_the_request(tmp_path: Path) -> None:
    told: dict[str, set[str]] = {}

    def note(event: Event) -> None:
        if isinstance(event, Filled | FillFailed | UpstreamAsked | UpstreamRead):
            told.setdefault(type(event).__name__, set()).add(request_id())

    with Origin() as origin:
        origin.put(POM, b"<project/>")
        origin.put(JAR, b"PK" + b"x" * 600_000)
        origin.put(f"{JAR}.sha1", b"0" * 40)
        upstream = UpstreamSpec("near", origin.url, allow_private=("127.0.0.0/8",))
        config = Config(
            (RegistrySpec(1, "solo", "maven", (upstream,)),),
            storage=StorageConfig(tmp_path / "data"),
        )
        assembly = build(config, observers=[note])
        try:
            with called(assembly.app, "") as door:
                door.ask("GET", f"/maven/solo/{POM}", {NAME: "first"})
                with suppress(VirtregError):  # The answer is cut, as it must be.
                    door.ask("GET", f"/maven/solo/{JAR}", {NAME: "second"})
        finally:
            assembly.close()
    assert told["Filled"] == {"first"}
    assert told["FillFailed"] == {"second"}
    assert told["UpstreamAsked"] == {"first", "second"}
    assert told["UpstreamRead"] == {"first", "second"}


def test_no_id_stays_behind(quick_site: Site) -> None:
    quick_site.get(POM, GIVEN)
    assert request_id() == ""
