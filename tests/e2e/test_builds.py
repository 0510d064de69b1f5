"""Whole builds through virtreg."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import gradle, ivy, sample, shelves
from tests.e2e.conftest import Serve
from tests.e2e.maven import Maven
from tests.e2e.nginx import Nginx
from tests.e2e.server import Upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_a_second_build_asks_no_upstream_and_a_third_needs_none(
    web: Nginx, upstreams: list[Upstream], serve: Serve, mvn: Maven, project: Path
) -> None:
    server = serve(*upstreams)
    first = mvn.run(server.gitlab, project, "clean", "package")
    assert first.code == 0, first.output
    asked = web.requests()
    assert {request.site for request in asked} == set(shelves.UPSTREAMS)

    second = mvn.run(server.gitlab, project, "clean", "package")
    assert second.code == 0, second.output
    assert web.requests() == asked

    server.stop()
    web.stop()
    expired = {"cache_validity_hours": 0.0001, "metadata_cache_validity_hours": 0.0001}
    server.upstreams = [Upstream(upstream.name, upstream.url, expired) for upstream in upstreams]
    server.start()
    third = mvn.run(server.gitlab, project, "clean", "package")
    assert third.code == 0, third.output
    assert third.fetched(f"greeter-{shelves.NEWER_BUILD}.jar")


def test_a_build_fetches_the_same_files_as_from_one_merged_repository(
    web: Nginx, upstreams: list[Upstream], serve: Serve, mvn: Maven, project: Path
) -> None:
    server = serve(*upstreams)
    direct = mvn.run(web.url("all"), project, "clean", "package")
    virtual = mvn.run(server.maven, project, "clean", "package")
    assert virtual.code == 0, virtual.output
    assert _artifacts(virtual.local) == _artifacts(direct.local)


def test_a_version_range_sees_every_upstream(
    upstreams: list[Upstream], serve: Serve, mvn: Maven, tmp_path: Path
) -> None:
    server = serve(*upstreams)
    wanted = (shelves.GROUP, "catalog", "[1,2)")
    build = mvn.run(server.maven, sample.write_consumer(tmp_path / "consumer", wanted), "package")
    assert build.code == 0, build.output
    assert build.fetched("catalog-1.5.jar")


def test_a_plugin_prefix_finds_the_latest_version_of_all_upstreams(
    upstreams: list[Upstream], serve: Serve, mvn: Maven, tmp_path: Path
) -> None:
    server = serve(*upstreams)
    build = mvn.run(server.maven, tmp_path, "hello:greet")
    assert build.code == 0, build.output
    assert "hello from 2.0" in build.output


def test_the_newest_snapshot_wins_whatever_its_position(
    upstreams: list[Upstream], serve: Serve, mvn: Maven, tmp_path: Path
) -> None:
    wanted = (shelves.GROUP, "greeter", "1.0-SNAPSHOT")
    consumer = sample.write_consumer(tmp_path / "consumer", wanted)
    server = serve(*upstreams)
    build = mvn.run(server.maven, consumer, "package")
    assert build.code == 0, build.output
    assert build.fetched(f"greeter-{shelves.NEWER_BUILD}.jar")
    assert not build.fetched(f"greeter-{shelves.OLDER_BUILD}.jar")


def test_gradle_resolves_a_dynamic_version(
    upstreams: list[Upstream], serve: Serve, tmp_path: Path
) -> None:
    server = serve(*upstreams)
    resolved = gradle.build(
        tmp_path / "gradle",
        server.maven,
        "com.google.guava:guava:debian",
        f"{shelves.GROUP}:catalog:1.+",
    )
    assert {"guava-debian.jar", "catalog-1.5.jar"} <= resolved


def test_ivy_resolves_a_dynamic_version(
    upstreams: list[Upstream], serve: Serve, tmp_path: Path
) -> None:
    server = serve(*upstreams)
    arrived = ivy.retrieve(tmp_path / "ivy", server.maven, shelves.GROUP, "catalog", "1.+")
    assert arrived == {"catalog-1.5.jar"}


def _artifacts(local: Path) -> dict[str, bytes]:
    """Everything but the generated documents, whose bytes are the registry's own."""
    return {
        file.relative_to(local).as_posix(): file.read_bytes()
        for file in local.rglob("*")
        if file.suffix in {".jar", ".pom", ".sha1"} and "maven-metadata" not in file.name
    }
