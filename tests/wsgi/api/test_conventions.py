"""What all calls have in common."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from tests.wsgi.api.desks import MAVEN, OURS, Desk, Told, opened
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.wsgi.api.application import Api
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint

REGISTRIES = f"/groups/{OURS}/-/virtual_registries/{MAVEN}/registries"
JSON = "application/json"


def test_a_form_and_a_query_say_the_same_as_json(desk: Desk) -> None:
    made = [
        desk.ask("POST", REGISTRIES, name="form", description="d").made(),
        desk.ask("POST", f"{REGISTRIES}?name=query&description=d").made(),
        desk.ask("POST", REGISTRIES, body={"name": "json", "description": "d"}).made(),
    ]
    assert [each["name"] for each in made] == ["form", "query", "json"]
    assert {each["description"] for each in made} == {"d"}
    place = desk.upstream(made[0]["id"])["registry_upstream"]["id"]
    moved = desk.ask(
        "PATCH", f"/virtual_registries/{MAVEN}/registry_upstreams/{place}", position="1"
    )
    assert moved.status == 200


def test_fields_nobody_knows_are_ignored(desk: Desk) -> None:
    assert desk.ask("POST", REGISTRIES, body={"name": "main", "colour": "red"}).status == 201


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b'"name"', JSON, 400),
        (b'{"name": "\\ud800"}', JSON, 400),
        (b"\xff", JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b"name=%ff", "application/x-www-form-urlencoded", 400),
        (b"<name/>", "text/xml", 415),
        (b"name=x", "multipart/form-data", 415),
        (b" " * 300_000, JSON, 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    desk: Desk, content: bytes, kind: str, status: int
) -> None:
    told = desk.ask("POST", REGISTRIES, content=content, headers={"Content-Type": kind})
    assert told.status == status
    assert "body" in told.json["message"]
    assert desk.ask("GET", REGISTRIES).json == []


@pytest.mark.parametrize("depth", [100, 800, 900, 950, 990, 1200])
def test_what_is_nested_deeply_is_no_name(desk: Desk, depth: int) -> None:
    content = b'{"name":' + b"[" * depth + b"]" * depth + b"}"
    told = desk.ask("POST", REGISTRIES, content=content, headers={"Content-Type": JSON})
    assert told.status == 400


def test_head_has_the_headers_of_get(desk: Desk) -> None:
    assert desk.ask("HEAD", REGISTRIES).answer.headers == desk.ask("GET", REGISTRIES).answer.headers


def test_a_method_that_is_not_for_a_url_is_told_those_that_are(desk: Desk) -> None:
    told = desk.ask("PUT", REGISTRIES)
    assert (told.status, told["Allow"]) == (405, "GET, HEAD, POST")
    assert desk.ask("GET", "/groups/1/-/virtual_registries/npm/registries").status == 404
    assert desk.ask("GET", "/groups/%ff/-/virtual_registries/container/registries").status == 404


def test_answers_are_for_whoever_asked_and_no_page(desk: Desk) -> None:
    for told in (desk.ask("GET", REGISTRIES), desk.ask("GET", REGISTRIES, "nobody")):
        assert told["Cache-Control"] == "no-store"
        assert told["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in told["Content-Security-Policy"]
        assert told["Content-Length"] == str(len(told.answer.body))


def test_a_stranger_is_challenged(desk: Desk) -> None:
    told = desk.ask("GET", REGISTRIES, "nobody")
    assert told.json["message"] == "401 Unauthorized"
    assert told["WWW-Authenticate"] == 'Bearer realm="virtreg"'


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Origin": "null", "Host": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://registry.example"},
    ],
)
def test_the_pages_of_other_sites_change_nothing(desk: Desk, headers: dict[str, str]) -> None:
    assert desk.ask("POST", REGISTRIES, body={"name": "x"}, headers=headers).status == 403
    assert desk.ask("GET", REGISTRIES, headers=headers).json == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain"])
def test_a_form_with_a_password_says_which_page_it_is_from(desk: Desk, kind: str) -> None:
    login = b64encode(f"owner:{desk.tokens['owner']}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": kind}

    def post(content: bytes, **more: str) -> Told:
        return desk.ask("POST", REGISTRIES, "", content=content, headers=headers | more)

    refused = post(b"name=x")
    assert refused.status == 403
    assert "application/json" in refused.json["detail"]
    assert desk.ask("GET", REGISTRIES).json == []
    assert post(b'{"name":"x"}', **{"Content-Type": "application/json"}).status == 201
    own = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    assert post(b"name=y", **own).status == 201


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://registry.example"}]
)
def test_pages_of_the_server_itself_may(desk: Desk, headers: dict[str, str]) -> None:
    assert desk.ask("POST", REGISTRIES, body={"name": "x"}, headers=headers).status == 201


def test_where_everybody_may_pull_nobody_manages(tmp_path: Path) -> None:
    with opened(tmp_path / "data", authenticator=Anonymous()) as desk:
        for who in ("nobody", "owner", "administrator"):
            assert desk.ask("GET", REGISTRIES, who).status == 401
            assert desk.ask("POST", REGISTRIES, who, {"name": "x"}).status == 401
        assert desk.changes == []


def test_what_is_declared_is_shown_and_changes_in_its_file_alone(tmp_path: Path) -> None:
    central = UpstreamSpec("central", "https://central.example", allow_private=("10.0.0.0/8",))
    declared = RegistrySpec(7, "declared", "maven", (central,), group=OURS)
    with opened(tmp_path / "data", [declared]) as desk:
        (registry,) = desk.ask("GET", REGISTRIES).json
        assert (registry["id"], registry["declared"]) == (7, True)
        root = f"/virtual_registries/{MAVEN}"
        (upstream,) = desk.ask("GET", f"{root}/registries/7/upstreams").json
        assert upstream["declared"] is True
        one = f"{root}/upstreams/{upstream['id']}"
        new: dict[str, Any] = {"name": "new", "url": "https://new.example"}
        for method, path, body in (
            ("PATCH", f"{root}/registries/7", {"name": "other"}),
            ("DELETE", f"{root}/registries/7", None),
            ("POST", f"{root}/registries/7/upstreams", new),
            ("PATCH", one, {"name": "other"}),
            ("DELETE", one, None),
            ("DELETE", f"{root}/registry_upstreams/{upstream['registry_upstream']['id']}", None),
        ):
            told = desk.ask(method, path, body=body)
            assert told.status == 409, (method, path)
            assert "configuration file" in told.json["message"]
        assert desk.changes == []
        for path in (f"{root}/registries/7/cache", f"{one}/cache"):
            assert desk.ask("DELETE", path).status == 204


def test_a_bug_is_told_without_its_details(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def run(_: Call) -> Answer:
        raise RuntimeError("s3cret")

    broken = Api([Endpoint("GET", "/broken", "", run)], Anonymous(), desk.directory, "virtreg")
    told = evolve(desk, api=broken).ask("GET", "/broken", "nobody")
    assert told.status == 500
    assert "s3cret" not in told.answer.body.decode()
    assert "'/api/v4/broken' failed" in caplog.text


def test_pulls_by_number_are_not_the_apis(desk: Desk) -> None:
    root = f"/api/v4/virtual_registries/{MAVEN}"
    for path in (f"{root}/1", f"{root}/1/", f"{root}/1/registries/2", "/maven/main/a", "/v2/"):
        assert not desk.api.concerns(path)
    for path in (f"{root}/registries/1", f"{root}/upstreams/x", "/api/v4/openapi.json"):
        assert desk.api.concerns(path)


def test_a_long_request_is_refused_before_it_is_read(desk: Desk) -> None:
    told = desk.ask("GET", f"{REGISTRIES}?x={9000 * 'a'}")
    assert told.status == 414
    assert json.loads(told.answer.body)["message"].startswith("414 ")
