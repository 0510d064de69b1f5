"""Names under which requests are answered, and pages that borrow the server's address."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.errors import InvalidRequest
from virtreg.wsgi.hosts import AllowedHosts, LocalHosts, WrongHost

CHROME = {
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "HTTP_ACCEPT_LANGUAGE": "en",
}
MAVEN = {"HTTP_USER_AGENT": "Apache-Maven/3.9.9 (Java 21; Linux 6.1)"}


def request(host: str | None, fields: dict[str, str] | None = None) -> dict[str, Any]:
    return ({} if host is None else {"HTTP_HOST": host}) | (fields or {})


@pytest.mark.parametrize(
    "host",
    [
        "repo.example.org",
        "REPO.example.org",
        "repo.example.org.",
        "repo.example.org:8443",
        "mirror.example.org:5000",
        "[::1]",
        "[::1]:8080",
        None,
        "",
    ],
)
def test_allowed_names_are_answered(host: str | None) -> None:
    allowed = AllowedHosts(["Repo.Example.org", "mirror.example.org:5000", "[::1]"])
    allowed.check(request(host, MAVEN))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "repo.example.org.evil.example.com",
        "xrepo.example.org",
        "sub.repo.example.org",
        "mirror.example.org",
        "mirror.example.org:5001",
        "127.0.0.1",
        "localhost",
        "[::2]",
    ],
)
def test_other_names_are_not_whoever_asks(host: str) -> None:
    allowed = AllowedHosts(["repo.example.org", "mirror.example.org:5000", "[::1]"])
    for fields in (CHROME, MAVEN):
        with pytest.raises(WrongHost) as caught:
            allowed.check(request(host, fields))
        assert caught.value.status == 421


@pytest.mark.parametrize(
    ("name", "host", "answered"),
    [
        ("repo.example.org:443", "repo.example.org", True),
        ("repo.example.org:443", "repo.example.org:443", True),
        ("repo.example.org:443", "repo.example.org:", True),
        ("repo.example.org:443", "repo.example.org:8443", False),
        ("repo.example.org:443", "repo.example.org:80", False),
        ("repo.example.org:80", "REPO.example.org.", True),
        ("repo.example.org:8080", "repo.example.org", False),
        ("repo.example.org:4430", "repo.example.org", False),
        ("repo.example.org", "repo.example.org:443", True),
        ("[2001:db8::1]:443", "[2001:db8::1]", True),
        ("[2001:db8::443]", "[2001:db8::443]", True),
        ("[2001:db8::1:443]", "[2001:db8::1]", False),
    ],
)
def test_the_usual_port_need_not_be_named(name: str, host: str, answered: bool) -> None:
    allowed = AllowedHosts([name])
    if answered:
        allowed.check(request(host))
        return
    with pytest.raises(WrongHost):
        allowed.check(request(host))


@pytest.mark.parametrize(
    "host",
    [
        "a b",
        "a/b",
        "a,b",
        "user@repo.example.org",
        "repo.example.org:x",
        "repo.example.org:123456",
        "[::1",
        "[::1]x",
        "::1",
        "repo.example.org\r\nX: 1",
        "é.example.org",
        ":80",
        ".",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    for check in (AllowedHosts(["repo.example.org"]).check, LocalHosts().check):
        with pytest.raises(InvalidRequest, match="header Host is malformed"):
            check(request(host))


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
        "192.168.1.7",
        "buildbox",
        "host.docker.internal:8080",
        "virtreg.localhost",
        "nas.local",
        "images.example.org",
        None,
    ],
)
def test_browsers_reach_a_local_server_by_names_that_nobody_outside_can_take(
    host: str | None,
) -> None:
    LocalHosts(["images.example.org"]).check(request(host, CHROME))


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com:8080", "a.b"])
@pytest.mark.parametrize(
    "fields",
    [
        CHROME,
        {"HTTP_USER_AGENT": "curl/8", "HTTP_ACCEPT_LANGUAGE": ""},
        {"HTTP_USER_AGENT": "docker/27", "HTTP_ORIGIN": "http://evil.example.com"},
        {"HTTP_REFERER": "http://evil.example.com/"},
        {"HTTP_COOKIE": "a=b"},
        {"HTTP_SEC_FETCH_MODE": "cors"},
    ],
    ids=str,
)
def test_a_page_whose_name_resolves_to_this_machine_reads_nothing(
    host: str, fields: dict[str, str]
) -> None:
    with pytest.raises(WrongHost, match="add it there"):
        LocalHosts(["images.example.org"]).check(request(host, fields))


@pytest.mark.parametrize("host", ["repo.example.org", "repo.example.org:443"])
def test_package_clients_may_come_through_a_proxy_that_hands_on_its_name(host: str) -> None:
    LocalHosts().check(request(host, MAVEN | {"HTTP_X_FORWARDED_FOR": "198.51.100.7"}))


HOSTS = st.text(max_size=40) | st.from_regex(r"[a-z.:\[\]0-9]{0,5}repo\.example\.org[.:0-9@ ]{0,4}")


@given(HOSTS)
def test_any_host_is_judged(host: str) -> None:
    try:
        AllowedHosts(["repo.example.org"]).check(request(host, CHROME))
    except (WrongHost, InvalidRequest):
        return
    assert host.lower().partition(":")[0].removesuffix(".") in ("", "repo.example.org")
