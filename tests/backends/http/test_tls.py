"""https: verified always, direct and through a tunnel."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from tests.backends.http.peers import ProxyServer, RawServer, get, upstream
from virtreg.errors import UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from virtreg.model import Fetch
from virtreg.testing.origin import Origin


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def tls_for(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_trusted_server_is_asked_on_one_connection(authority: trustme.CA, ca_file: str) -> None:
    with Origin({"a": b"x" * 100_000}, tls=tls_for(authority, "localhost")) as origin:
        with upstream(origin.url, ca_file=ca_file) as up:
            for _ in range(3):
                assert get(up, "a") == (200, b"x" * 100_000)
        assert len({seen.connection for seen in origin.requests}) == 1


def test_an_unknown_authority_is_not_trusted(authority: trustme.CA) -> None:
    with Origin({"a": b"x"}, tls=tls_for(authority, "localhost")) as origin:
        with (
            upstream(origin.url) as up,
            pytest.raises(UpstreamUnavailable, match="certificate not trusted"),
        ):
            up.fetch(Fetch("a"))
        assert origin.requests == []


def test_a_certificate_for_another_name_is_not_trusted(authority: trustme.CA, ca_file: str) -> None:
    with Origin({"a": b"x"}, tls=tls_for(authority, "other.example")) as origin:
        with (
            upstream(origin.url, ca_file=ca_file) as up,
            pytest.raises(UpstreamUnavailable, match=r"certificate not trusted: .*[Hh]ostname"),
        ):
            up.fetch(Fetch("a"))
        assert origin.requests == []


def test_https_does_not_redirect_to_http(authority: trustme.CA, ca_file: str) -> None:
    with (
        Origin({"b": b"x"}) as plain,
        Origin(tls=tls_for(authority, "localhost")) as origin,
        upstream(origin.url, ca_file=ca_file) as up,
    ):
        origin.put("a", redirect=f"{plain.url}/b")
        with pytest.raises(UpstreamRefused, match="https to http"):
            up.fetch(Fetch("a"))
        assert plain.requests == []


def test_a_tunnel_keeps_the_proxy_out(authority: trustme.CA, ca_file: str) -> None:
    with Origin({"a": b"x"}, tls=tls_for(authority, "localhost")) as origin:
        with ProxyServer("Basic am9lOnB3") as proxy:
            given = proxy.url.replace("http://", "http://joe:pw@")
            with upstream(origin.url, ca_file=ca_file, proxy=given) as up:
                assert get(up, "a") == (200, b"x")
                assert get(up, "b")[0] == 404
            assert len(proxy.heads) == 1
            assert proxy.heads[0].startswith(f"CONNECT localhost:{origin.port} ".encode())
        assert "proxy-authorization" not in origin.requests[0].headers


def test_a_refused_tunnel_says_so(authority: trustme.CA, ca_file: str) -> None:
    with (
        Origin(tls=tls_for(authority, "localhost")) as origin,
        ProxyServer("Basic x") as proxy,
        upstream(origin.url, ca_file=ca_file, proxy=proxy.url) as up,
        pytest.raises(UpstreamUnavailable, match="the proxy refused the tunnel"),
    ):
        up.fetch(Fetch("a"))


def test_a_handshake_that_never_ends_is_a_timeout() -> None:
    with RawServer(b"") as server:
        url = server.url.replace("http://", "https://")
        with (
            upstream(url, connect_timeout=0.2) as up,
            pytest.raises(UpstreamTimeout, match=r"no connection to 127.0.0.1 in 0\.2 s"),
        ):
            up.fetch(Fetch("a"))


def test_a_server_without_tls_says_so() -> None:
    with Origin() as origin:
        url = origin.url.replace("http://", "https://")
        with upstream(url) as up, pytest.raises(UpstreamUnavailable, match="TLS failed"):
            up.fetch(Fetch("a"))
