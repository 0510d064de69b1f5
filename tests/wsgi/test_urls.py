from __future__ import annotations

import pytest

from tests.wsgi.doors import Called, mounted
from tests.wsgi.sites import JAR, LARGE_BODY, POM, SMALL_BODY, Site

DOCUMENTED = "/api/v4/virtual_registries/packages/maven"


@pytest.mark.parametrize(
    "base", ["/maven/solo", f"{DOCUMENTED}/7", "/maven/main", f"{DOCUMENTED}/1"]
)
def test_a_registry_is_at_its_name_and_at_its_documented_id(site: Site, base: str) -> None:
    for path, body in ((POM, SMALL_BODY), (JAR, LARGE_BODY)):
        answer = site.door.ask("GET", f"{base}/{path}")
        assert (answer.status, answer.body) == (200, body)


def test_both_urls_of_a_registry_share_one_cache(site: Site) -> None:
    site.fill(POM)
    assert site.door.ask("GET", f"{DOCUMENTED}/7/{POM}").origin == "hit"
    assert site.near.count(POM) == 1


def test_a_query_is_not_part_of_the_path(site: Site) -> None:
    assert site.door.ask("GET", f"/maven/solo/{POM}?x=1/../2").body == SMALL_BODY


def test_an_escaped_path_is_the_same_path(site: Site) -> None:
    site.make_ready(POM)
    assert site.get(POM.replace("thing", "%74hing")).origin == "hit"
    assert site.near.count(POM) == 1


def test_a_path_may_have_letters_of_any_script(site: Site) -> None:
    site.near.put("größe/größe.pom", SMALL_BODY)
    answer = site.get("gr%C3%B6%C3%9Fe/gr%C3%B6%C3%9Fe.pom")
    assert (answer.status, answer.body) == (200, SMALL_BODY)
    assert site.near.requests[0].target.endswith("/gr%C3%B6%C3%9Fe/gr%C3%B6%C3%9Fe.pom")


def test_an_unknown_registry_is_not_found(site: Site) -> None:
    for target in (
        "/",
        "/maven",
        "/maven/",
        "/maven/nobody/a.pom",
        "/maven/7/a.pom",
        "/oci/solo/a.pom",
        f"{DOCUMENTED}/2/a.pom",
        f"{DOCUMENTED}/07/a.pom",
        f"{DOCUMENTED}/",
    ):
        answer = site.door.ask("GET", target)
        assert answer.status == 404, target
        assert answer.problem["detail"] == "there is no registry at this URL"
        assert answer.problem["message"] == "404 Not Found"
        assert "upstreams" not in answer.problem


def test_what_the_api_does_not_have_is_said_in_its_words(site: Site) -> None:
    answer = site.door.ask("GET", "/api/v4/projects")
    assert (answer.status, answer["Content-Type"]) == (404, "application/json")
    assert answer.body == b'{"message":"404 Not found"}'


def test_the_documented_url_takes_a_number(site: Site) -> None:
    for name in ("solo", "-7", "7x", "%2e%2e"):
        answer = site.door.ask("GET", f"{DOCUMENTED}/{name}/a.pom")
        assert answer.status == 400, name
        assert answer.problem["detail"] == "id is invalid: a registry's id is a number"


INVALID = [
    ("a/../b.pom", "'..'"),
    ("../solo/b.pom", "'..'"),
    ("a/%2e%2e/b.pom", "'..'"),
    ("a/./b.pom", "'.'"),
    ("a//b.pom", "empty segment"),
    ("/b.pom", "empty segment"),
    ("a%5cb.pom", "encoded slash"),
    ("a%5Cb.pom", "encoded slash"),
    ("a\\b.pom", "backslash"),
    ("a%2fb.pom", "encoded slash"),
    ("a/..%2Fb.pom", "encoded slash"),
    ("a%00.pom", "U+0000"),
    ("a%0d%0ab.pom", "U+000D"),
    ("a%7f.pom", "U+007F"),
    ("a%C2%85.pom", "U+0085"),
    ("a%2500.pom", "percent sign"),
    ("a%25252fb.pom", "percent sign"),
    ("a" * 1025, "1025 bytes"),
    ("%C3%B6" * 513, "1026 bytes"),
]


def test_an_invalid_path_is_refused_with_its_reason(site: Site) -> None:
    for path, reason in INVALID:
        answer = site.get(path)
        assert answer.status == 400, path
        assert answer.problem["code"] == "invalid_request"
        assert reason in answer.problem["detail"]
    assert site.near.requests == []


def test_a_path_that_is_not_utf_8_is_refused(quick_site: Site) -> None:
    # Werkzeug's own server replaces such bytes before the application sees them.
    for path in ("%ff.pom", "a%C3/b.pom", "%ED%A0%80.pom", "%C0%AE%C0%AE/b.pom"):
        answer = quick_site.get(path)
        assert answer.status == 400, path
        assert answer.problem["detail"] == "path: is not UTF-8"
    assert quick_site.near.requests == []


def test_an_escaped_slash_is_refused_although_its_decoded_path_is_ready(site: Site) -> None:
    site.make_ready(POM)
    assert site.get(POM.replace("/", "%2f", 1)).status == 400


def test_a_registry_is_read_only(site: Site) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = site.door.ask(method, f"/maven/solo/{POM}")
        assert answer.status == 405, method
        assert answer["Allow"] == "GET, HEAD"
        assert answer.problem["detail"].startswith(f"{method}: ")
    assert site.near.requests == []


def test_a_ready_answer_is_read_only(site: Site) -> None:
    site.make_ready(POM)
    assert site.door.ask("DELETE", f"/maven/solo/{POM}").status == 405
    assert site.get(POM).body == SMALL_BODY


def test_a_server_may_leave_an_empty_path_out(quick_site: Site) -> None:
    """PEP 3333 lets a server omit variables that would be empty."""
    app = quick_site.assembly.app
    told: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> object:
        told.append(status)
        return None

    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/packages"}
    # Fewer variables than the type of a WSGI environment promises: that is the test.
    assert b"".join(app(environ, start_response))  # type: ignore[arg-type]
    assert told == ["404 Not Found"]


def test_one_application_serves_below_several_prefixes(quick_site: Site) -> None:
    quick_site.make_ready(POM)
    other = Called(mounted(quick_site.assembly.app, "/other"), "/other")
    below = other.ask("GET", f"/maven/solo/{POM}")
    assert (below.origin, below.body) == ("hit", SMALL_BODY)
