from __future__ import annotations

from pathlib import Path

from attrs import evolve

from virtreg.cli.banner import banner, base_url, usage
from virtreg.config import ServerConfig, default_config
from virtreg.model import Secret


def test_the_banner_says_where_and_what() -> None:
    assert list(banner(default_config(Path("/srv/cache")))) == [
        "Listening on http://127.0.0.1:8081",
        "Data folder: /srv/cache",
        "",
        "Registry central: http://127.0.0.1:8081/maven/central/",
        "  central: https://repo1.maven.org/maven2",
        "",
        "Registry hub: 127.0.0.1:8081/hub",
        "  docker-hub: https://registry-1.docker.io",
    ]


def test_the_banner_says_that_nobody_is_asked() -> None:
    config = default_config(Path("/srv/cache"))
    offline = evolve(config, server=ServerConfig(offline=True))
    assert "Offline: only what is cached is served" in list(banner(offline))


def test_the_banner_says_where_nodes_keep_things_and_what_clients_call_them() -> None:
    config = default_config(Path("/srv/cache"))
    storage = evolve(
        config.storage,
        url="s3://bucket/cache",
        database=Secret("postgresql://me:hunter2@db.example.org/virtreg"),
    )
    server = ServerConfig(host="0.0.0.0", external_url="https://registry.example.org")
    assert list(banner(evolve(config, server=server, storage=storage)))[:6] == [
        "Listening on http://0.0.0.0:8081",
        "Data folder: /srv/cache",
        "Files: s3://bucket/cache",
        "Database: PostgreSQL at db.example.org/virtreg",
        "",
        "Registry central: https://registry.example.org/maven/central/",
    ]


def test_usage_is_ready_to_paste() -> None:
    config = default_config(Path("/srv/cache"))
    lines = list(usage(evolve(config, server=ServerConfig(port=9000))))
    assert "      <url>http://127.0.0.1:9000/maven/central/</url>" in lines
    assert "docker pull 127.0.0.1:9000/hub/library/alpine" in lines
    assert '[host."http://127.0.0.1:9000/v2/hub"]' in lines


def test_an_address_for_everybody_is_not_one_to_go_to() -> None:
    assert base_url(ServerConfig(host="0.0.0.0")) == "http://localhost:8081"
    assert base_url(ServerConfig(host="::")) == "http://localhost:8081"
    assert base_url(ServerConfig(host="::1")) == "http://[::1]:8081"
