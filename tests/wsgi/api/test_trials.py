"""Trying upstreams out, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from tests.wsgi.api.desks import CONTAINER, MAVEN, OURS, Desk, opened
from virtreg.backends.http import HttpUpstream
from virtreg.model import Entry, RegistrySpec, UpstreamSpec
from virtreg.testing.origin import Lock, Origin, Tokens, basic

SOME = "com/company/app/maven-metadata.xml"
NEW = f"/groups/{OURS}/-/virtual_registries/{MAVEN}/upstreams/test"
LOGIN = {"username": "ann", "password": "s3cret"}
URL = "https://repo.example"


@frozen
class Trials:
    desk: Desk
    origin: Origin
    asked: list[UpstreamSpec]
    """What was opened, as the server would."""

    def new(self, part: str = MAVEN, **body: Any) -> Any:
        path = f"/groups/{OURS}/-/virtual_registries/{part}/upstreams/test"
        answer = self.desk.ask("POST", path, body={"url": URL} | body)
        assert answer.status == 200, answer.answer.body
        return answer.json


@contextmanager
def _trials(folder: Path, *, inside: bool = True, **arguments: Any) -> Iterator[Trials]:
    """``repo.example`` is the origin. ``inside``: upstreams may reach it."""
    asked: list[UpstreamSpec] = []
    with Origin() as origin:

        def reach(spec: UpstreamSpec) -> HttpUpstream:
            asked.append(spec)
            url = spec.url.replace(URL, origin.named_url)
            return HttpUpstream(
                evolve(spec, url=url, allow_private=("127.0.0.0/8", "::1/128") if inside else ())
            )

        with opened(folder / "data", reach=reach, **arguments) as desk:
            yield Trials(desk, origin, asked)


@pytest.fixture
def trials(tmp_path: Path) -> Iterator[Trials]:
    with _trials(tmp_path) as made:
        yield made


def test_what_is_there_and_what_is_not_are_both_well(trials: Trials) -> None:
    assert trials.new() == {"success": True}
    trials.origin.put(SOME, b"<metadata/>")
    assert trials.new() == {"success": True}
    assert [(seen.method, seen.path) for seen in trials.origin.requests] == 2 * [("HEAD", SOME)]


@pytest.mark.parametrize(
    ("behaviour", "result"),
    [
        ({"forbid": True}, "Error: 403 - Forbidden"),
        ({"status": 500}, "Error: 500 - Internal Server Error"),
        ({"status": 429}, "Error: 429 - Too Many Requests"),
        ({"require": basic("ann", "s3cret")}, "Error: 401 - Unauthorized"),
    ],
)
def test_a_status_is_told_with_its_reason(
    trials: Trials, behaviour: dict[str, Any], result: str
) -> None:
    trials.origin.put(SOME, b"<metadata/>", **behaviour)
    assert trials.new() == {"success": False, "result": result}


def test_a_login_is_tried_and_never_told(trials: Trials) -> None:
    trials.origin.put(SOME, b"<metadata/>", require=basic("ann", "s3cret"))
    assert trials.new(**LOGIN) == {"success": True}
    wrong = trials.new(username="ann", password="wr0ng")
    assert wrong == {"success": False, "result": "Error: 401 - Unauthorized"}
    trials.origin.put(SOME, b"", silent=True)
    assert "s3cret" not in str(trials.new(**LOGIN))


def test_trouble_on_the_way_is_told_in_a_line(trials: Trials) -> None:
    trials.origin.put(SOME, b"", silent=True)
    broken = trials.new()
    assert broken["success"] is False
    assert broken["result"].startswith("Error: ")
    assert "\n" not in broken["result"]


def test_redirects_are_followed(trials: Trials) -> None:
    trials.origin.put(SOME, redirect=f"{trials.origin.named_url}/elsewhere")
    trials.origin.put("elsewhere", b"<metadata/>")
    assert trials.new() == {"success": True}
    assert [seen.path for seen in trials.origin.requests] == [SOME, "elsewhere"]


def test_where_a_name_leads_inside_is_not_told_and_not_reached(tmp_path: Path) -> None:
    with _trials(tmp_path, inside=False) as trials:
        told = trials.new()
        assert told["success"] is False
        assert "not on the public internet" in told["result"]
        assert "127.0.0.1" not in told["result"]
        assert "::1" not in told["result"]
        assert trials.origin.requests == []


def test_nobody_waits_long_for_an_upstream(trials: Trials) -> None:
    trials.new()
    saved = trials.desk.upstream(trials.desk.registry(), url=URL, read_timeout=300)
    trials.desk.ask("GET", f"/virtual_registries/{MAVEN}/upstreams/{saved['id']}/test")
    for spec in trials.asked:
        assert spec.connect_timeout <= 5
        assert spec.read_timeout <= 5
        assert spec.total_timeout <= 15


def test_a_saved_upstream_is_asked_for_what_it_has(trials: Trials) -> None:
    saved = trials.desk.upstream(trials.desk.registry(), url=URL, **LOGIN)
    one = f"/virtual_registries/{MAVEN}/upstreams/{saved['id']}/test"
    assert trials.desk.ask("GET", one, "guest").json == {"success": True}
    kept = trials.desk.catalog.upstream(saved["id"])
    assert kept is not None
    facts = ("0" * 64, 1, "", "", "", None, None, None, 1.0, 1.0)
    trials.desk.index.put([Entry(kept.spec.key, "org/a/1/a-1.pom", *facts)])
    trials.origin.put("org/a/1/a-1.pom", b"x", require=basic("ann", "s3cret"))
    assert trials.desk.ask("GET", one).json == {"success": True}
    assert [seen.path for seen in trials.origin.requests] == [SOME, "org/a/1/a-1.pom"]


@pytest.mark.parametrize(
    ("body", "login"),
    [
        ({}, ("ann", "s3cret")),
        ({"username": "ann"}, ("ann", "s3cret")),
        ({"username": "ann", "password": ""}, ("ann", "s3cret")),
        ({"url": f"{URL}/"}, ("ann", "s3cret")),
        ({"url": f"{URL}/other"}, None),
        ({"url": f"{URL}/other", "username": "bob", "password": "pw"}, ("bob", "pw")),
        ({"username": "bob", "password": "pw"}, ("bob", "pw")),
    ],
)
def test_a_change_is_tried_with_the_login_it_would_have(
    trials: Trials, body: dict[str, str], login: tuple[str, str] | None
) -> None:
    saved = trials.desk.upstream(trials.desk.registry(), url=URL, **LOGIN)
    one = f"/virtual_registries/{MAVEN}/upstreams/{saved['id']}"
    assert trials.desk.ask("POST", f"{one}/test", body=body).json == {"success": True}
    (seen,) = trials.origin.requests
    sent = None if login is None else basic(*login)[1]
    assert seen.headers.get("authorization") == sent
    assert trials.desk.ask("GET", one).json["username"] == "ann"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "bob"}, "password"),
        ({"password": "pw"}, "username"),
        ({"username": "", "password": "pw"}, "username"),
        ({"url": f"{URL}/other", "username": "ann"}, "password"),
    ],
)
def test_half_a_login_is_not_tried(trials: Trials, body: dict[str, str], field: str) -> None:
    saved = trials.desk.upstream(trials.desk.registry(), url=URL, **LOGIN)
    one = f"/virtual_registries/{MAVEN}/upstreams/{saved['id']}/test"
    refused = trials.desk.ask("POST", one, body=body)
    assert (refused.status, refused.json) == (400, {"message": {field: ["can't be blank"]}})
    assert trials.asked == []


def test_ways_inside_of_a_declared_upstream_are_not_for_other_urls(tmp_path: Path) -> None:
    spec = UpstreamSpec("inside", f"{URL}/a", allow_private=("10.0.0.0/8",))
    declared = RegistrySpec(7, "declared", "maven", (spec,), group=OURS)
    with _trials(tmp_path, declared=(declared,)) as trials:
        (listed,) = trials.desk.ask(
            "GET", f"/virtual_registries/{MAVEN}/registries/7/upstreams"
        ).json
        one = f"/virtual_registries/{MAVEN}/upstreams/{listed['id']}/test"
        assert trials.desk.ask("GET", one).json == {"success": True}
        assert trials.desk.ask("POST", one, body={"url": f"{URL}/b"}).json == {"success": True}
        assert [each.allow_private for each in trials.asked] == [("10.0.0.0/8",), ()]


def test_a_registry_of_images_is_asked_whether_it_is_one(trials: Trials) -> None:
    assert trials.new(CONTAINER) == {"success": False, "result": "Error: 404 - Not Found"}
    trials.origin.put("v2/", b"{}")
    assert trials.new(CONTAINER) == {"success": True}


def test_a_login_for_images_is_proved_by_a_token(trials: Trials) -> None:
    tokens = Tokens(login=("ann", "s3cret"))
    realm = f"{trials.origin.named_url}/token"
    trials.origin.put("token", mint=tokens)
    trials.origin.put("v2/", b"{}", lock=Lock(tokens, realm, ""))
    assert trials.new(CONTAINER, **LOGIN) == {"success": True}
    wrong = trials.new(CONTAINER, username="ann", password="wr0ng")
    assert wrong["success"] is False
    assert wrong["result"].startswith("Error: ")
    assert "wr0ng" not in wrong["result"]


def test_strangers_do_not_learn_where_upstreams_may_be(trials: Trials) -> None:
    for who, status in (("stranger", 401), ("outsider", 404), ("guest", 403)):
        for url in (URL, "http://10.0.0.1"):
            assert trials.desk.ask("POST", NEW, who, {"url": url}).status == status
    assert trials.asked == []
