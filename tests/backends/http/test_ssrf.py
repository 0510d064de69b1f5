"""Every way to have the server ask where it may not: refused before any packet.

The origin is at 127.0.0.1 and may be reached at that very address; what the spellings below mean
is a trap, at other addresses of this machine, in which nothing must ever be caught.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.backends.http.test_tokens import LOGIN
from tests.backends.http.traps import trap
from virtreg.backends.http import HttpUpstream
from virtreg.errors import ConfigError, EgressRefused, UpstreamError
from virtreg.model import Fetch, UpstreamSpec
from virtreg.testing.origin import Origin

SPELLINGS = {
    "dotted": "http://127.0.0.3:{port}/",
    "decimal": "http://2130706435:{port}/",
    "octal": "http://0177.0.0.03:{port}/",
    "octal in one": "http://017700000003:{port}/",
    "hexadecimal": "http://0x7f000003:{port}/",
    "hexadecimal parts": "http://0x7f.0x0.0x0.0x3:{port}/",
    "short": "http://127.3:{port}/",
    "short of three": "http://127.0.3:{port}/",
    "mixed": "http://0x7f.0.03:{port}/",
    "last dot": "http://127.0.0.3.:{port}/",
    "leading zeros": "http://127.000.000.003:{port}/",
    "overflow": "http://4294967299.127.0.3:{port}/",
    "full width": "http://１２７.0.0.3:{port}/",
    "ideographic dots": "http://127。0。0。3:{port}/",
    "circled": "http://①②⑦.⓪.⓪.③:{port}/",
    "escaped": "http://%31%32%37.0.0.3:{port}/",
    "unspecified": "http://0.0.0.0:{port}/",
    "unspecified in short": "http://0:{port}/",
    "this network": "http://0.0.0.3:{port}/",
    "IPv6": "http://[::1]:{port}/",
    "IPv6 at length": "http://[0000:0:0:0:0:0:0:0001]:{port}/",
    "IPv6 unspecified": "http://[::]:{port}/",
    "IPv6 mapped": "http://[::ffff:127.0.0.3]:{port}/",
    "IPv6 mapped in hex": "http://[::ffff:7f00:3]:{port}/",
    "IPv6 mapped unspecified": "http://[::ffff:0.0.0.0]:{port}/",
    "IPv6 compatible": "http://[::127.0.0.3]:{port}/",
    "IPv6 translated": "http://[64:ff9b::127.0.0.3]:{port}/",
    "IPv6 over IPv4": "http://[2002:7f00:3::]:{port}/",
    "IPv6 zone": "http://[::1%25lo]:{port}/",
    "IPv6 raw zone": "http://[::1%lo]:{port}/",
    "IPv6 link-local zone": "http://[fe80::1%25lo]:{port}/",
    "user information": "http://127.0.0.1@127.0.0.3:{port}/",
    "backslash": "http://127.0.0.1\\@127.0.0.3:{port}/",
    "two authorities": "http://127.0.0.1:1@127.0.0.3:{port}@127.0.0.1/",
    "file": "file://127.0.0.3:{port}/etc/passwd",
    "file without host": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.3:{port}/_GET%20/",
    "ftp": "ftp://127.0.0.3:{port}/",
    "unix": "http+unix://127.0.0.3:{port}/",
    "data": "data:text/plain,x",
    "metadata service": "http://169.254.169.254/",
    "metadata service mapped": "http://[::ffff:a9fe:a9fe]/",
}
UNENCODED = {
    "line break": "http://127.0.0.3:{port}/\r\nX-Injected: 1",
    "line break in the host": "http://127.0.0.3\r\n:{port}/",
    "tab": "http://127.0\t.0.3:{port}/",
    "null": "http://127.0.0.3\0.example.org:{port}/",
    "leading space": " http://127.0.0.3:{port}/",
}

spelled = pytest.mark.parametrize("url", SPELLINGS.values(), ids=SPELLINGS)


def upstream(url: str, **settings: Any) -> HttpUpstream:
    limits: dict[str, Any] = {"connect_timeout": 2, "read_timeout": 2}
    return HttpUpstream(
        UpstreamSpec("up", url, **(limits | {"allow_private": ("127.0.0.1/32",)} | settings))
    )


@pytest.mark.parametrize(
    "url",
    [*SPELLINGS.values(), *UNENCODED.values()],
    ids=[*SPELLINGS, *UNENCODED],
)
def test_no_configured_url_reaches_it(url: str) -> None:
    with trap() as place:
        try:
            made = upstream(url.format(port=place.port))
        except ConfigError:
            pass
        else:
            with pytest.raises(UpstreamError):
                made.fetch(Fetch("a"))
            made.close()
        assert place.caught() == 0


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "localhost.", "a.localhost"])
def test_no_name_of_this_machine_reaches_it(name: str) -> None:
    with trap() as place:
        made = upstream(f"http://{name}:{place.port}/", allow_private=("127.0.0.3/32",))
        with pytest.raises(UpstreamError):
            made.fetch(Fetch("a"))
        made.close()
        assert place.caught() == 0


@spelled
def test_no_redirect_leads_to_it(url: str) -> None:
    with trap() as place, Origin() as origin:
        location = url.format(port=place.port).encode().decode("latin-1")
        origin.put("a", redirect=location, status=307)
        made = upstream(origin.url)
        with pytest.raises(UpstreamError) as caught:
            made.fetch(Fetch("a"))
        made.close()
        assert isinstance(caught.value, EgressRefused) or "does not resolve" in caught.value.message
        assert [seen.target for seen in origin.requests] == ["/a"]
        assert place.caught() == 0


@pytest.mark.parametrize(
    "authority",
    [url.partition("://")[2] for url in SPELLINGS.values() if url.startswith("http://")],
)
def test_no_redirect_without_a_scheme_leads_to_it(authority: str) -> None:
    with trap() as place, Origin() as origin:
        location = f"//{authority}".format(port=place.port).encode().decode("latin-1")
        origin.put("a", redirect=location, status=302)
        made = upstream(origin.url)
        with pytest.raises(UpstreamError):
            made.fetch(Fetch("a"))
        made.close()
        assert place.caught() == 0


@spelled
def test_no_token_service_is_it(url: str) -> None:
    with trap() as place, Origin() as origin:
        realm = url.format(port=place.port).encode().decode("latin-1").replace("\\", "\\\\")
        challenge = f'Bearer realm="{realm}",service="s"'
        origin.put("v2/a/manifests/1", status=401, headers={"WWW-Authenticate": challenge})
        made = upstream(
            origin.url, token_realms=("127.0.0.3", "localhost", "[::1]", "0.0.0.0"), **LOGIN
        )
        with pytest.raises(UpstreamError):
            made.fetch(Fetch("v2/a/manifests/1", scope="repository:a:pull"))
        made.close()
        assert [seen.path for seen in origin.requests] == ["v2/a/manifests/1"]
        assert "authorization" not in origin.requests[0].headers
        assert place.caught() == 0


@pytest.mark.parametrize(
    "path",
    ["a\r\nX-Injected: 1", "a HTTP/1.1\r\n\r\nGET /b", "a\0b", "//127.0.0.3/", "@127.0.0.3:1/a"],
)
def test_a_path_is_a_path_of_the_upstream_and_nothing_else(path: str) -> None:
    with trap() as place, Origin() as origin:
        made = upstream(origin.url)
        made.fetch(Fetch(path)).close()
        made.close()
        (seen,) = origin.requests
        assert seen.target.startswith("/")
        assert not {" ", "\r", "\n", "\0"} & set(seen.target)
        assert "x-injected" not in seen.headers
        assert seen.headers["host"] == f"127.0.0.1:{origin.port}"
        assert place.caught() == 0


def test_an_encoded_line_break_in_a_redirect_stays_encoded() -> None:
    with Origin() as origin:
        origin.put("a", redirect="/b%0d%0aX-Injected:%201", status=302)
        made = upstream(origin.url)
        made.fetch(Fetch("a")).close()
        made.close()
        assert origin.requests[-1].target == "/b%0d%0aX-Injected:%201"
        assert "x-injected" not in origin.requests[-1].headers


def test_the_trap_catches_whoever_is_let() -> None:
    """Else its silence would prove nothing."""
    with trap() as place:
        for host in ("127.0.0.1", "127.0.0.3", "::1", "0.0.0.0", "::ffff:127.0.0.3", "2130706435"):
            socket.create_connection((host, place.port), 2).close()
            assert place.caught() == 1
        assert place.caught() == 0


def test_the_address_that_was_checked_is_the_address_that_is_reached(tmp_path: Path) -> None:
    """DNS rebinding, with a real name server: its own network and mounts make the system's
    resolver ask it, and give this machine a public address that answers."""
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    needed = [shutil.which(name) for name in ("unshare", "ip", "mount")]
    if None in needed or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("no namespace of one's own can be had here")
    done = subprocess.run(
        [*command, sys.executable, "-m", "tests.backends.http.rebinding", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["public"] == {"outcome": "public body", "asked": 1, "caught": 0}
    assert told["rebound"] == {"outcome": "a loopback address", "asked": 1, "caught": 0}
    assert told["mixed"] == {"outcome": "a private address", "asked": 1, "caught": 0}
