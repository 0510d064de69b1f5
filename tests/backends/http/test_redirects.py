"""Redirects: followed by our rules, with credentials left behind."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.backends.http.peers import Script, get, upstream
from virtreg.errors import UpstreamRefused, UpstreamUnavailable
from virtreg.model import Fetch, Secret, Validators
from virtreg.testing.origin import Origin

SECRETS = {
    "username": "joe",
    "password": Secret("pass"),
    "headers": (("Private-Token", Secret("glp")),),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_kind_is_followed_with_the_same_request(
    status: int, method: Literal["GET", "HEAD"]
) -> None:
    with Origin({"b": b"0123456789"}) as origin, upstream(origin.url) as up:
        origin.put("a", redirect="/b", status=status)
        known = Validators('"x"')
        request = Fetch("a", method=method, offset=4, known=known)
        assert get(up, request)[0] == 206
        first, second = origin.requests
    assert (second.method, second.path) == (method, "b")
    assert second.headers == first.headers
    assert second.connection == first.connection


@pytest.mark.parametrize(
    "location",
    ["b c", "/x/b%20c", "//{authority}/x/b%20c", "../x/b%20c#part", "http://{authority}/x/b%20c"],
)
def test_a_location_may_be_relative_or_sloppy(location: str) -> None:
    with Origin({"x/b c": b"found"}) as origin, upstream(origin.url) as up:
        authority = f"127.0.0.1:{origin.port}"
        origin.put("x/a", redirect=location.format(authority=authority))
        assert get(up, "x/a") == (200, b"found")


def test_a_location_in_raw_utf8_is_quoted() -> None:
    with Origin({"ü": b"found"}) as origin, upstream(origin.url) as up:
        origin.put("a", redirect="/ü".encode().decode("latin-1"))
        assert get(up, "a") == (200, b"found")


def test_credentials_stay_with_their_origin() -> None:
    with Origin({"b": b"x"}) as other, Origin() as origin:
        origin.put("a", redirect=f"{other.url}/b?signature=s")
        with upstream(origin.url, **SECRETS) as up:
            assert get(up, "a") == (200, b"x")
        (asked,) = origin.requests
        (seen,) = other.requests
    assert {"authorization", "private-token"} <= asked.headers.keys()
    assert not {"authorization", "private-token"} & seen.headers.keys()
    assert seen.target == "/b?signature=s"


def test_credentials_do_not_come_back() -> None:
    with Origin() as other, Origin({"c": b"x"}) as origin:
        origin.put("a", redirect=f"{other.url}/b")
        other.put("b", redirect=f"{origin.url}/c")
        with upstream(origin.url, **SECRETS) as up:
            assert get(up, "a") == (200, b"x")
        assert "authorization" not in origin.requests[-1].headers


def test_credentials_follow_within_their_origin() -> None:
    with Origin({"b": b"x"}) as origin, upstream(origin.url, **SECRETS) as up:
        origin.put("a", redirect=f"{origin.url}/b")
        assert get(up, "a") == (200, b"x")
        assert "authorization" in origin.requests[-1].headers


def test_another_name_for_the_same_server_is_another_origin() -> None:
    with Origin({"b": b"x"}) as origin, upstream(origin.url, **SECRETS) as up:
        origin.put("a", redirect=f"{origin.named_url}/b")
        assert get(up, "a") == (200, b"x")
        assert "authorization" not in origin.requests[-1].headers


def test_a_loop_is_named() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", redirect="/b?secret=1")
        origin.put("b", redirect="/a")
        with pytest.raises(UpstreamUnavailable, match=rf"loop at 127.0.0.1:{origin.port}$"):
            up.fetch(Fetch("a"))
        assert len(origin.requests) == 2


def test_five_redirects_are_followed_and_six_are_too_many() -> None:
    with Origin({"secret/6": b"x"}) as origin, upstream(origin.url) as up:
        for step in range(6):
            origin.put(f"secret/{step}", redirect=f"/secret/{step + 1}?secret=1")
        assert get(up, "secret/1") == (200, b"x")
        with pytest.raises(UpstreamUnavailable, match="more than 5 redirects") as caught:
            up.fetch(Fetch("secret/0"))
    assert "secret" not in caught.value.message


def test_a_redirect_s_own_body_takes_no_time_from_what_follows() -> None:
    parts = [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"a", b"b", b"c"]
    with Script(parts, pause=0.15, once=True) as target, Origin() as origin:
        origin.put("a", b"moved", redirect=f"{target.url}/b", status=302)
        with upstream(origin.url) as up:
            assert get(up, "a") == (200, b"abc")


def test_a_redirect_to_nowhere_is_an_error() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", status=302)
        with pytest.raises(UpstreamUnavailable, match="without Location"):
            up.fetch(Fetch("a"))


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta?sig=SECRET", "a cloud metadata service"),
        ("http://[::ffff:169.254.169.254]/?sig=SECRET", "a cloud metadata service"),
        ("http://10.0.0.1/?sig=SECRET", "a private address"),
        ("http://[fd00::1]/?sig=SECRET", "a private"),
        ("http://2130706433/?sig=SECRET", "a.b.c.d"),
        ("http://0x7f.1/?sig=SECRET", "a.b.c.d"),
        ("http://SECRET:SECRET@example.org/", "user information"),
        ("ftp://example.org/SECRET", "http:// or https://"),
        ("file:///etc/SECRET", "http:// or https://"),
        ("http://example.org:99999/?sig=SECRET", "port"),
        ("http://exa mple.org/?sig=SECRET", "host"),
        ("http://[::1/?sig=SECRET", "malformed|Invalid"),
    ],
)
def test_a_forbidden_target_is_refused_without_its_secrets(location: str, reason: str) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", redirect=location)
        with pytest.raises(UpstreamRefused, match=reason) as caught:
            up.fetch(Fetch("a"))
    assert "SECRET" not in caught.value.message
