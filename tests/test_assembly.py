from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from virtreg import (
    Config,
    ConfigError,
    RegistrySpec,
    Secret,
    ServerConfig,
    StorageConfig,
    StorageError,
    UpstreamSpec,
    build,
    default_config,
)
from virtreg.model import Fetch, Login
from virtreg.testing.origin import Lock, Origin, Tokens
from virtreg.upstreams import Upstreams


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    named = rf"cannot use the folder {re.escape(str(folder))}: Not a directory"
    with pytest.raises(StorageError, match=named):
        build(default_config(folder))


class Vault:
    """A login as a host program obtains it."""

    def login(self) -> Login:
        return Login("robot", Secret("of the hour"))


def test_a_host_gives_upstreams_their_logins(tmp_path: Path) -> None:
    manifest = b'{"schemaVersion":2,"config":{},"layers":[]}'
    tokens = Tokens(login=("robot", "of the hour"))
    with Origin() as origin:
        origin.put("token", mint=tokens)
        lock = Lock(tokens, f"{origin.url}/token", "repository:app:pull")
        origin.put("v2/app/manifests/1", manifest, lock=lock)
        spec = UpstreamSpec("private", origin.url, allow_private=("127.0.0.0/8",))
        config = Config(
            (RegistrySpec(1, "images", "container", (spec,)),),
            ServerConfig(image_prefix="mirrors"),
            StorageConfig(tmp_path),
        )
        with build(config, logins={"private": Vault()}) as assembly:
            registry = assembly.registries["images"]
            resolved = registry.resolve(registry.format.route("app/manifests/1"))
            with resolved.body as body:
                assert b"".join(body.read()) == manifest
            asked = create_environ("/v2/mirrors/1/app/manifests/1")
            answer = run_wsgi_app(assembly.app, asked, buffered=True)
            assert b"".join(answer[0]) == manifest
        with pytest.raises(RuntimeError):
            assembly.upstreams[0].threads.submit(int)
    assert {issued.login for issued in tokens.issued} == {"robot"}


def test_a_login_is_not_for_what_is_stored_under_the_same_name(tmp_path: Path) -> None:
    with Origin() as origin:
        origin.put("a/b/1/b-1.pom", b"<project/>")
        make = Upstreams(
            time.time,
            {"private": Vault()},
            ("127.0.0.0/8",),
            dict,
            lambda _: True,
            offline=False,
        )
        for number in (None, 5):
            spec = UpstreamSpec("private", origin.url, id=number, allow_private=("127.0.0.0/8",))
            with closing(make(spec)) as upstream, closing(upstream.fetch(Fetch("a/b/1/b-1.pom"))):
                pass
        assert ["authorization" in seen.headers for seen in origin.requests] == [True, False]


def test_a_login_of_no_upstream_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no upstream 'privat'"):
        build(default_config(tmp_path), logins={"privat": Vault()})
