"""A server of which one part cannot be used: all others go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import insert
from trustme import CA
from werkzeug.test import create_environ, run_wsgi_app

from virtreg import Assembly, Config, RegistrySpec, StorageConfig, UpstreamSpec, build
from virtreg.backends.catalog import SqlCatalog, open_catalog
from virtreg.backends.catalog.schema import rules
from virtreg.backends.vault import MasterKeys
from virtreg.config import ManagementConfig
from virtreg.errors import ConfigError
from virtreg.model import Rule, Secret
from virtreg.testing.origin import Origin

FILE = "org/example/a/1.0/a-1.0.pom"
CONTENT = b"<project/>"
LOCAL = ("127.0.0.0/8",)


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.put(FILE, CONTENT)
        yield origin


@pytest.fixture
def config(tmp_path: Path, origin: Origin) -> Config:
    upstream = UpstreamSpec("central", origin.url, allow_private=LOCAL)
    return Config(
        (RegistrySpec(1, "declared", "maven", (upstream,)),),
        storage=StorageConfig(tmp_path / "data"),
        management=ManagementConfig(allow_private=LOCAL),
    )


def stored(config: Config, make: Callable[[SqlCatalog], None]) -> None:
    path = config.storage.path
    keys = MasterKeys.found(os.environ, path)
    with closing(open_catalog(path, config.registries, keys=keys)) as catalog:
        make(catalog)


def ask(assembly: Assembly, registry: int, path: str = FILE) -> tuple[int, bytes]:
    asked = create_environ(f"/api/v4/virtual_registries/packages/maven/{registry}/{path}")
    body, status, _ = run_wsgi_app(assembly.app, asked, buffered=True)
    return int(status[:3]), b"".join(body)


def test_a_registry_whose_rules_cannot_be_applied_is_closed_and_others_are_served(
    config: Config, origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    def make(catalog: SqlCatalog) -> None:
        for name in ("sound", "broken"):
            registry = catalog.add_registry("g", "maven", {"name": name}).spec.id
            catalog.add_upstream(registry, {"name": name, "url": f"{origin.url}/{name}"})
        rule = {"rule_type": "deny", "target_coordinate": "colour", "pattern": "red"}
        with catalog._database.writing() as connection:
            connection.execute(insert(rules).values(upstream_id=3, pattern_type="wildcard", **rule))

    stored(config, make)
    with build(config) as assembly:
        by_name = {name: each.spec.id for name, each in assembly.registries.items()}
        broken = by_name["broken"]
        assert ask(assembly, by_name["declared"]) == (200, CONTENT)
        status, body = ask(assembly, broken)
        assert status == 503
        assert b"registry_closed" in body
        assert b"the server's log says why" in body
        assert "registry 'broken' is not served" in caplog.text
        assert "target_coordinate must be one of" in caplog.text
        # What changes is followed all the same, and the rule can be taken away.
        made = assembly.catalog.add_registry("g", "maven", {"name": "later"})
        assert ask(assembly, made.spec.id)[0] == 404
        assembly.catalog.remove_rule(1)
        assert ask(assembly, broken)[0] == 404


def test_a_declared_registry_whose_rules_cannot_be_applied_ends_the_start(config: Config) -> None:
    (spec,) = config.registries
    (upstream,) = spec.upstreams
    wrong = evolve(upstream, rules=(Rule("deny", "colour", "red"),))
    with pytest.raises(ConfigError, match="target_coordinate must be one of"):
        build(evolve(config, registries=(evolve(spec, upstreams=(wrong,)),)))


def test_an_upstream_whose_password_does_not_open_is_broken_until_the_key_is_back(
    config: Config, origin: Origin
) -> None:
    def make(catalog: SqlCatalog) -> None:
        registry = catalog.add_registry("g", "maven", {"name": "private"}).spec.id
        login = {"username": "bob", "password": Secret("of the stored one")}
        catalog.add_upstream(registry, {"name": "private", "url": origin.url, **login})

    stored(config, make)
    key = config.storage.path / "secret.key"
    kept = key.read_bytes()
    key.unlink()
    with build(config) as assembly:
        private = assembly.registries["private"].spec.id
        assert ask(assembly, 1) == (200, CONTENT)
        asked = len(origin.requests)
        status, body = ask(assembly, private)
        assert status == 502
        assert str(config.storage.path).encode() not in body
        assert len(origin.requests) == asked
        key.touch(0o600)
        key.write_bytes(kept)
        assert assembly.live.refresh(thoroughly=True)
        assert not assembly.live.refresh(thoroughly=True)
        assert ask(assembly, private) == (200, CONTENT)


def test_a_declared_upstream_that_becomes_unusable_keeps_no_change_from_others(
    config: Config, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    CA().cert_pem.write_to_path(str(bundle))
    (spec,) = config.registries
    (upstream,) = spec.upstreams
    trusting = evolve(upstream, url="https://127.0.0.1:9", ca_file=str(bundle))
    with build(evolve(config, registries=(evolve(spec, upstreams=(trusting,)),))) as assembly:
        bundle.unlink()
        (number,) = [each.id for _, each in assembly.catalog.upstreams_of(1)]
        assembly.catalog.purge_upstream(number)
        made = assembly.catalog.add_registry("g", "maven", {"name": "later"})
        assert ask(assembly, made.spec.id)[0] == 404
        assert ask(assembly, 1)[0] == 502
