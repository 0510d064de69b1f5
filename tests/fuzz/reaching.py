"""Where a stranger gets to: paths of a folder, URLs, addresses, names of hosts, and the keys
of a file."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from virtreg.backends.folder import FolderSource
from virtreg.config import load
from virtreg.core.egress import EgressPolicy
from virtreg.core.httpdate import parse_http_date, print_http_date
from virtreg.core.rules import Rulebook
from virtreg.core.weburl import check_url
from virtreg.errors import (
    ConfigError,
    Invalid,
    InvalidRequest,
    NotFound,
    UpstreamUnavailable,
)
from virtreg.formats import named
from virtreg.model import Route, UpstreamSpec
from virtreg.protocols import Situates
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.api.entry_ids import entry_id, parse_entry_id
from virtreg.wsgi.api.flavour import FLAVOURS
from virtreg.wsgi.api.urls import LONGEST, normalised
from virtreg.wsgi.hosts import AllowedHosts, LocalHosts, WrongHost, asked
from virtreg.wsgi.place import check_path, decoded

_PROXIES: Final = Addresses(["10.0.0.0/8", "fd00::/8"])
_POLICY: Final = EgressPolicy()
_NAMED: Final = AllowedHosts(["repo.example.org", "[2001:db8::1]:8443", "port.example.org:443"])
_LOCAL: Final = LocalHosts(["repo.example.org"])
_FILES: Final = ("a.jar", "org/a/1/a-1.jar", "org/ü/1/ü-1.jar", "org/a/..b")


@cache
def _site() -> tuple[FolderSource, Path]:
    """A folder of which every file holds its own name, beside what nobody may see; and room for a
    file."""
    made = tempfile.TemporaryDirectory(prefix="fuzz-")
    atexit.register(made.cleanup)
    outside, root = Path(made.name), Path(made.name) / "root"
    for name in _FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (outside / "secret").write_text("outside")
    (outside / "hidden").mkdir()
    (outside / "hidden/a.jar").write_text("outside")
    for name, target in (
        ("link", outside / "secret"),
        ("up", Path("../secret")),
        ("org/out", outside / "hidden"),
        ("org/in", Path("a")),
        ("ring", Path("ring")),
        ("here", Path()),
    ):
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    return FolderSource(UpstreamSpec("folder", folder=str(root))), outside


def folder_path(noise: bytes) -> None:
    source, _ = _site()
    path = noise.decode("utf-8", "replace")
    with suppress(NotFound, UpstreamUnavailable):
        found = source.resolve(Route(path))
        with found.body as body:
            assert b"".join(body.read()).decode() == path
        assert path in _FILES


def configuration(noise: bytes) -> None:
    """Appended to a file that is right."""
    _, folder = _site()
    file = folder / "server.toml"
    file.write_bytes(_RIGHT + noise)
    try:
        found = load(file, {})
    except ConfigError as error:
        for line in error.message.split("\n"):
            assert line.startswith(f"{file}: ")
        return
    for spec in found.registries:
        format_ = named(spec.format)
        assert isinstance(format_, Situates)
        Rulebook(spec, format_.targets)
        assert spec.key


_RIGHT: Final = b"""\
[[registry]]
name = "main"
format = "maven"
upstreams = ["central"]
[[upstream]]
name = "central"
url = "https://central.example/maven2"
"""


def entry_name(noise: bytes) -> None:
    with suppress(UnicodeDecodeError):
        _entry_made(noise.decode())
    found = parse_entry_id(noise.decode("utf-8", "replace"))
    if found is not None:
        number, path = found
        assert path
        assert 0 <= number < 10**15
        _entry_made(path)


def _entry_made(path: str) -> None:
    """Paths of entries have no slash before them."""
    if path and not path.startswith("/"):
        assert parse_entry_id(entry_id(7, path)) == (7, path)


def upstream_url(noise: bytes) -> None:
    text = noise.decode("utf-8", "replace")
    for flavour in FLAVOURS:
        with suppress(Invalid):
            found = normalised(text, flavour)
            assert normalised(found, flavour) == found
            assert found.isascii()
            assert found.isprintable()
            assert len(found) <= LONGEST
            url = check_url(found)
            assert _POLICY.refuses_host(url.host) is None
            assert not {".", ".."} & set(url.path.split("/"))
            assert not {"?", "#", "\\", " "} & set(found)
            assert "@" not in url.authority


def url_path(noise: bytes) -> None:
    asked_for = noise.decode("latin-1")
    shown = decoded(asked_for)
    try:
        check_path(asked_for)
    except InvalidRequest:
        assert "\ufffd" in shown
    else:
        assert shown.encode() == noise


def forwarded(noise: bytes) -> None:
    text = noise.decode("latin-1")
    # Whatever a caller writes stands before what the proxy adds.
    for added, found in (
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:81", "192.0.2.7"),
        ("[2001:db8:1:2::3%eth0]:81", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.9.9.9", "192.0.2.7"),
    ):
        environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": f"{text},{added}"}
        assert _PROXIES.of(environ) == found
    told = _PROXIES.of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": text})
    ip_address(told.removesuffix("/64"))
    assert _PROXIES.of({"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": text}) == "192.0.2.7"


def host_name(noise: bytes) -> None:
    text = noise.decode("latin-1")
    environ = {"HTTP_HOST": text}
    with suppress(InvalidRequest):
        host, port = asked(environ)
        assert host == host.lower()
        assert asked({"HTTP_HOST": f"{host}:{port}" if port else host}) in (
            (host, port),
            (host.removesuffix("."), port),
        )
        with suppress(WrongHost):
            _NAMED.check(environ)
            assert host in ("", "repo.example.org", "[2001:db8::1]", "port.example.org")
            assert host != "port.example.org" or port in ("", "443")
        with suppress(WrongHost):
            # As a browser does.
            _LOCAL.check({**environ, "HTTP_ORIGIN": "https://evil.example"})
            if "." in host and not host.startswith("[") and host != "repo.example.org":
                assert host.endswith(_INSIDE) or ip_address(host).version == 4


_INSIDE: Final = (".localhost", ".test", ".local", ".home.arpa", ".internal")


def unmodified_since(noise: bytes) -> None:
    seconds = parse_http_date(noise.decode("latin-1"))
    # A leap second may end the last year that can be told.
    if seconds is not None and (printed := print_http_date(seconds)) is not None:
        assert parse_http_date(printed) == seconds
