"""What an upstream is sent."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.http.peers import Script, fetched, get, upstream
from virtreg.backends.http.asking import locate
from virtreg.core.egress import check_url
from virtreg.errors import IntegrityError, InvalidRequest, UpstreamError, UpstreamRefused
from virtreg.model import Fetch, Query, Secret, Validators
from virtreg.testing.origin import Origin, basic, bearer

BASE = check_url("http://example.org/base/")


def test_the_plain_request() -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.url) as up:
        get(up, Fetch("a", accept="text/plain", headers=(("X-Extra", "1"),)))
        (seen,) = origin.requests
    assert seen.headers["user-agent"].startswith("virtreg/")
    assert seen.headers == {
        "user-agent": seen.headers["user-agent"],
        "host": f"127.0.0.1:{origin.port}",
        "accept": "text/plain",
        "accept-encoding": "identity",
        "x-extra": "1",
    }


def test_validators_and_ranges_are_sent_as_known() -> None:
    with Origin({"a": b"0123456789"}) as origin, upstream(origin.url) as up:
        known = Validators('W/"e"', "Tue, 14 Nov 2000 22:13:20 GMT")
        get(up, Fetch("a", known=known, offset=4, if_range='"s"'))
        headers = origin.requests[0].headers
    assert headers["if-none-match"] == 'W/"e"'
    assert headers["if-modified-since"] == "Tue, 14 Nov 2000 22:13:20 GMT"
    assert headers["range"] == "bytes=4-"
    assert headers["if-range"] == '"s"'


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a b", "/base/a%20b"),
        ("a?b#c", "/base/a%3Fb%23c"),
        ("a%2fb", "/base/a%252fb"),
        ("ü", "/base/%C3%BC"),
        ("a+b", "/base/a%2Bb"),
        ("sha256:0a/@x", "/base/sha256:0a/@x"),
        ("a;b=1/c", "/base/a%3Bb=1/c"),
        ("a\r\nHost: x", "/base/a%0D%0AHost:%20x"),
        ("http://evil.example/", "/base/http://evil.example/"),
    ],
)
def test_a_path_stays_a_path(path: str, target: str) -> None:
    assert locate(BASE, path).target == target


@given(st.text() | st.text("./;%a"))
def test_any_path_stays_below_the_base_or_is_refused(path: str) -> None:
    try:
        url = locate(BASE, path)
    except InvalidRequest:
        return
    again = check_url(url.text)
    assert again == url
    assert again.origin == BASE.origin
    assert again.path.startswith("/base/")
    # Servers drop what follows a semicolon before or after they decode.
    segments = {unquote(segment).partition(";")[0] for segment in again.path.split("/")}
    assert not {".", ".."} & segments


@pytest.mark.parametrize("path", ["..", "a/../b", "./a", "..;/b", "a/..;x=1/b", ".;", "\udcff"])
def test_paths_that_leave_the_base_or_are_no_text_are_refused(path: str) -> None:
    with pytest.raises(InvalidRequest, match="path"):
        locate(BASE, path)


@pytest.mark.parametrize(
    "request_",
    [
        Fetch("a", accept="x\r\nEvil: 1"),
        Fetch("a", headers=(("A\r\nEvil", "1"),)),
        Fetch("a", headers=(("A", "1\nEvil: 1"),)),
        Fetch("a", headers=(("A", "☃"),)),
    ],
)
def test_a_header_that_would_split_the_request_is_refused(request_: Fetch) -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.url) as up:
        with pytest.raises(InvalidRequest, match="header"):
            up.fetch(request_)
        assert origin.requests == []


ODD = ['"\r\n\r\nGET / HTTP/1.1"', '"\x01"', '"\x7f"', '"☃"', f'"{"x" * 1023}"', " "]


@pytest.mark.parametrize("odd", ODD)
def test_an_upstream_s_validator_that_cannot_be_sent_is_none(odd: str) -> None:
    with Origin({"a": b"0123456789"}) as origin, upstream(origin.url) as up:
        assert get(up, Fetch("a", known=Validators(odd, odd))) == (200, b"0123456789")
        assert get(up, Fetch("a", offset=4, if_range=odd)) == (200, b"0123456789")
        for seen in origin.requests:
            assert not {"if-none-match", "if-modified-since", "range", "if-range"} & set(
                seen.headers
            )


def test_an_upstream_s_own_odd_validator_does_not_stop_the_next_question() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"x", headers={"ETag": '"\x01"'})
        with fetched(up, "a") as reply:
            known = Validators(reply.headers["etag"], reply.headers.get("last-modified"))
        assert get(up, Fetch("a", known=known))[0] in (200, 304)


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ((("n", "1000"),), "/a?n=1000"),
        ((("n", "2"), ("last", "a b&n=3#x"), ("n", "")), "/a?n=2&last=a%20b%26n%3D3%23x&n="),
        ((("artifactType", "application/x+json"),), "/a?artifactType=application%2Fx%2Bjson"),
        ((), "/a"),
    ],
)
def test_a_query_is_encoded_and_appended(query: Query, target: str) -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.url) as up:
        assert get(up, Fetch("a", query=query)) == (200, b"x")
        assert origin.requests[0].target == target
        assert origin.requests[0].query == query


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text("a&=+%#;ü \r\n"))))
def test_any_query_comes_back_as_it_was(query: list[tuple[str, str]]) -> None:
    url = check_url(locate(BASE, "a", tuple(query)).text)
    assert parse_qsl(url.query, keep_blank_values=True) == query


def test_a_query_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="query"):
        locate(BASE, "a", (("n", "\udcff"),))


@pytest.mark.parametrize(
    ("offset", "stop", "sent", "got"),
    [
        (0, 4, "bytes=0-3", (206, b"0123")),
        (4, 6, "bytes=4-5", (206, b"45")),
        (4, 99, "bytes=4-98", (206, b"456789")),
        (4, None, "bytes=4-", (206, b"456789")),
    ],
)
def test_a_part_is_asked_for(
    offset: int, stop: int | None, sent: str, got: tuple[int, bytes]
) -> None:
    with Origin({"a": b"0123456789"}) as origin, upstream(origin.url) as up:
        assert get(up, Fetch("a", offset=offset, stop=stop)) == got
        assert origin.requests[0].headers["range"] == sent
        assert get(up, Fetch("a", offset=offset, stop=stop, if_range='"x"'))[0] == 200


def test_the_whole_in_place_of_a_part_is_told_by_its_status() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"0123456789", ranges=False)
        assert get(up, Fetch("a", stop=4)) == (200, b"0123456789")


@pytest.mark.parametrize(("offset", "stop"), [(4, 4), (4, 2), (0, 0), (-1, None)])
def test_a_part_without_bytes_is_not_asked_for(offset: int, stop: int | None) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        with pytest.raises(InvalidRequest, match="range"):
            up.fetch(Fetch("a", offset=offset, stop=stop))
        assert origin.requests == []


@pytest.mark.parametrize("told", ["bytes 0-9/10", "bytes 2-9/10", "bytes 3-2/10", "bytes 2-x/10"])
def test_another_part_than_asked_for_is_corrupt(told: str) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"01234567", status=206, headers={"Content-Range": told})
        with pytest.raises(IntegrityError, match="206 Partial Content"):
            up.fetch(Fetch("a", offset=2, stop=6))


def test_a_shorter_part_than_asked_for_is_a_part() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"23", status=206, headers={"Content-Range": "bytes 2-3/10"})
        assert get(up, Fetch("a", offset=2, stop=6)) == (206, b"23")


@pytest.mark.parametrize(("status", "answered"), [(404, True), (405, False)])
def test_a_server_that_does_not_know_head_still_answers_get(status: int, answered: bool) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"x" * 100, head=status)
        if answered:
            with fetched(up, Fetch("a", method="HEAD")) as reply:
                assert (reply.status, reply.read(1)) == (404, b"")
        else:
            with pytest.raises(UpstreamError, match="405"):
                up.fetch(Fetch("a", method="HEAD"))
        assert get(up, "a") == (200, b"x" * 100)
        assert len({seen.connection for seen in origin.requests}) == 1


def test_a_body_sent_to_head_is_not_the_next_answer() -> None:
    loud = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
    with Script([loud] * 3) as server, upstream(server.url) as up:
        for _ in range(2):
            with fetched(up, Fetch("a", method="HEAD")) as reply:
                assert (reply.length, reply.read(9)) == (4, b"")
        assert get(up, "a") == (200, b"late")


def test_basic_credentials_are_sent_at_once() -> None:
    with Origin() as origin:
        origin.put("a", b"x", require=basic("joe", "päss"))
        with upstream(origin.url, username="joe", password=Secret("päss")) as up:
            assert get(up, "a") == (200, b"x")
        with upstream(origin.url) as up, pytest.raises(UpstreamRefused, match="401"):
            up.fetch(Fetch("a"))


def test_bearer_and_custom_credentials_are_sent() -> None:
    with Origin() as origin:
        origin.put("a", b"x", require=bearer("tok"))
        origin.put("b", b"y", require=("Private-Token", "glp"))
        secret = (("Private-Token", Secret("glp")),)
        with upstream(origin.url, bearer=Secret("tok"), headers=secret) as up:
            assert get(up, "a") == (200, b"x")
            assert get(up, "b") == (200, b"y")
