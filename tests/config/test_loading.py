from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import REGISTRY, UPSTREAM, read, refusals
from virtreg.config import ServerConfig, default_config, load
from virtreg.errors import ConfigError


def test_a_file_with_the_least_in_it_gets_every_default(tmp_path: Path) -> None:
    config = read(tmp_path, UPSTREAM + REGISTRY)

    assert config.server == ServerConfig()
    assert config.storage.path == tmp_path / "virtreg-data"
    (registry,) = config.registries
    assert (registry.id, registry.name, registry.order) == (1, "main", "cached")
    (upstream,) = registry.upstreams
    assert upstream.url == "https://repo.example.org/maven2"
    assert upstream.cache_validity_hours == 24


def test_every_key_reaches_its_value(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        [server]
        host = "0.0.0.0"
        port = 9000
        threads = 8
        access_log = false
        realm = "Builds"
        graceful_timeout = 5
        hot_bytes = 0
        [storage]
        path = "cache"
        url = "s3://bucket/prefix"
        [[upstream]]
        name = "inside"
        url = "HTTPS://Repo.Example.org:8443/Maven2/"
        username = "ci"
        password = "env:PASSWORD"
        headers = { Private-Token = "env:TOKEN" }
        metadata_cache_validity_hours = 0.5
        on_error = "continue"
        allow_private = ["10.0.0.0/8", "::1/128"]
        proxy = "http://proxy.example.org:3128/"
        [[registry]]
        id = 7
        name = "main"
        format = "maven"
        order = "strict"
        description = "everything"
        upstreams = ["inside"]
        """,
        {"PASSWORD": "p-word", "TOKEN": "t-word"},
    )

    assert config.server == ServerConfig("0.0.0.0", 9000, 8, False, "Builds", 5, 0)
    assert config.storage.path == tmp_path / "cache"
    assert config.storage.url == "s3://bucket/prefix"
    (registry,) = config.registries
    assert (registry.id, registry.order, registry.description) == (7, "strict", "everything")
    (upstream,) = registry.upstreams
    assert upstream.url == "https://repo.example.org:8443/Maven2"
    assert upstream.password is not None
    assert upstream.password.reveal() == "p-word"
    assert [(name, secret.reveal()) for name, secret in upstream.headers] == [
        ("Private-Token", "t-word")
    ]
    assert upstream.metadata_cache_validity_hours == 0.5
    assert upstream.allow_private == ("10.0.0.0/8", "::1/128")
    assert upstream.proxy == "http://proxy.example.org:3128"
    assert "-word" not in repr(config)


def test_a_registry_lists_its_upstreams_in_its_own_order(tmp_path: Path) -> None:
    second = UPSTREAM.replace("central", "second")
    registry = REGISTRY.replace('["central"]', '["second", "central"]')
    config = read(tmp_path, UPSTREAM + second + registry)
    assert [upstream.name for upstream in config.registries[0].upstreams] == ["second", "central"]


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    lines = refusals(
        tmp_path,
        """
        colour = "red"
        [server]
        prot = 8081
        [[upstream]]
        name = "central"
        url = "ftp://repo.example.org"
        [[upstream]]
        name = "central"
        url = "https://repo.example.org"
        read_timeout = 0
        [[registry]]
        name = "main"
        format = "mavn"
        upstreams = ["centrl"]
        """,
    )
    assert sorted(lines) == [
        (
            "colour: unknown key; known: registry, upstream, server, storage, access, limits,"
            " management, metrics, tracing"
        ),
        'registry[1].format: unknown format; did you mean "maven"?',
        'registry[1].upstreams[1]: there is no upstream "centrl"; did you mean "central"?',
        'server.prot: unknown key; did you mean "port"?',
        "upstream[1].url: must begin with http:// or https://",
        'upstream[2].name: "central" is upstream[1] already',
        "upstream[2].read_timeout: must be more than 0",
    ]


@pytest.mark.parametrize("upstream", ["", UPSTREAM.replace("[[upstream]]", "[[upstreams]]")])
def test_a_registry_is_no_upstream_to_name(tmp_path: Path, upstream: str) -> None:
    refused = refusals(tmp_path, upstream + REGISTRY)
    assert 'registry[1].upstreams[1]: there is no upstream "central"; known: none' in refused


def test_registries_without_an_id_are_numbered_by_position(tmp_path: Path) -> None:
    config = read(tmp_path, UPSTREAM + REGISTRY + REGISTRY.replace("main", "other"))
    assert [registry.id for registry in config.registries] == [1, 2]


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    second = REGISTRY.replace("main", "other") + "id = 1\n"
    assert refusals(tmp_path, UPSTREAM + REGISTRY + second) == [
        "registry[2].id: 1 is the id of registry[1] already"
    ]


@pytest.mark.parametrize(
    ("registry", "line"),
    [
        ("", "registry: is missing"),
        ("registry = []", "registry: must hold at least one table"),
        ("registry = 5", "registry: must be a list, not a whole number"),
        (
            REGISTRY.replace("[[registry]]", "[registry]"),
            "registry: must be a list of tables: write [[registry]], not [registry]",
        ),
        ('registry = ["main"]', "registry[1]: must be a table, not text"),
        (REGISTRY.replace('["central"]', "[]"), "registry[1].upstreams: must name at least one"),
        (REGISTRY.replace('["central"]', '"central"'), "registry[1].upstreams: must be a list"),
        (
            REGISTRY.replace('["central"]', '["central", "central"]'),
            'registry[1].upstreams[2]: "central" is listed twice',
        ),
    ],
)
def test_a_registry_that_cannot_be_is_refused(tmp_path: Path, registry: str, line: str) -> None:
    (only,) = refusals(
        tmp_path, f"{registry}\n{UPSTREAM}" if "=" in registry[:12] else UPSTREAM + registry
    )
    assert only.startswith(line)


def test_a_registry_has_at_most_twenty_upstreams(tmp_path: Path) -> None:
    names = [f"u{number}" for number in range(21)]
    upstreams = "".join(UPSTREAM.replace("central", name) for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    twenty = REGISTRY.replace('"central"', listed.removesuffix(', "u20"'))
    assert len(read(tmp_path, upstreams + twenty).registries[0].upstreams) == 20
    assert refusals(tmp_path, upstreams + REGISTRY.replace('"central"', listed)) == [
        "registry[1].upstreams: must name at most 20 upstreams, not 21"
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        load(tmp_path / "nowhere.toml", {})


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"odd\.toml: is not TOML: "):
        load(path, {})


def test_the_default_is_maven_central_and_docker_hub_on_loopback(tmp_path: Path) -> None:
    config = default_config(tmp_path)

    assert (config.server.host, config.server.port) == ("127.0.0.1", 8081)
    assert config.storage.path == tmp_path
    maven, images = config.registries
    assert (maven.id, maven.name, maven.format) == (1, "central", "maven")
    assert (images.id, images.name, images.format) == (2, "hub", "container")
    assert images.default
    assert [each.url for each in images.upstreams] == ["https://registry-1.docker.io"]
    (upstream,) = maven.upstreams
    assert upstream.url == "https://repo1.maven.org/maven2"
    assert (upstream.cache_validity_hours, upstream.metadata_cache_validity_hours) == (0, 24)
