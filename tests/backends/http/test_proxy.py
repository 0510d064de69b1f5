"""Through an HTTP proxy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.http.peers import ProxyServer, get, upstream
from virtreg.errors import UpstreamRefused, UpstreamUnavailable
from virtreg.model import Fetch, Secret
from virtreg.testing.origin import Origin


def test_http_is_asked_for_in_absolute_form() -> None:
    with Origin({"a b": b"x"}) as origin, ProxyServer() as proxy:
        with upstream(origin.url, proxy=proxy.url) as up:
            assert get(up, "a b") == (200, b"x")
        assert proxy.heads[0].startswith(f"GET {origin.url}/a%20b HTTP/1.1\r\n".encode())
        assert origin.requests[0].headers["host"] == f"127.0.0.1:{origin.port}"


def test_proxy_credentials_go_to_the_proxy() -> None:
    with Origin({"a": b"x"}) as origin, ProxyServer("Basic am9lOnA6dyA=") as proxy:
        with_credentials = proxy.url.replace("http://", "http://joe:p%3Aw%20@")
        with upstream(origin.url, proxy=with_credentials) as up:
            assert get(up, "a") == (200, b"x")
        with (
            upstream(origin.url, proxy=proxy.url) as up,
            pytest.raises(UpstreamUnavailable, match="407"),
        ):
            up.fetch(Fetch("a"))


def test_upstream_credentials_do_not_turn_into_proxy_credentials() -> None:
    with Origin({"a": b"x"}) as origin, ProxyServer() as proxy:
        with upstream(origin.url, proxy=proxy.url, bearer=Secret("tok")) as up:
            assert get(up, "a") == (200, b"x")
        assert b"Proxy-Authorization" not in proxy.heads[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a.localhost"])
def test_addresses_are_checked_before_the_proxy_is_asked(host: str) -> None:
    with ProxyServer() as proxy:
        with (
            upstream(f"http://{host}:1", proxy=proxy.url, allow_private=()) as up,
            pytest.raises(UpstreamRefused, match=f"{host} may not be reached"),
        ):
            up.fetch(Fetch("a"))
        assert proxy.heads == []


FETCH = """
import sys
from virtreg.backends.http import HttpUpstream
from virtreg.model import Fetch, UpstreamSpec

up = HttpUpstream(UpstreamSpec("up", sys.argv[1], allow_private=("127.0.0.0/8",)))
reply = up.fetch(Fetch("a"))
assert reply.read(9) == b"x"
reply.close()
up.close()
"""


def test_the_environment_names_no_proxy_and_no_credentials(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login joe password pw\n")
    with Origin({"a": b"x"}) as origin, ProxyServer() as proxy:
        names = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
        environment = os.environ | dict.fromkeys(names, proxy.url) | {"HOME": str(tmp_path)}
        command = [sys.executable, "-c", FETCH, origin.url]
        subprocess.run(command, env=environment, check=True, timeout=60)
        assert proxy.heads == []
        assert "authorization" not in origin.requests[0].headers
