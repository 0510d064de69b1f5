"""The bed itself, without virtreg: the sample builds from the whole and from no single part."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import big, sample, shelves
from tests.e2e.maven import Maven
from tests.e2e.nginx import Nginx
from tests.e2e.transfer import Transfer, fetch
from tests.e2e.tree import Tree

pytestmark = pytest.mark.e2e


def test_the_sample_builds_from_one_merged_repository(
    web: Nginx, mvn: Maven, project: Path
) -> None:
    build = mvn.run(web.url("all"), project, "clean", "package")
    assert build.code == 0, build.output
    assert (project / "app/target/app-1.0.jar").is_file()
    assert build.fetched(f"greeter-{shelves.NEWER_BUILD}.jar")


@pytest.mark.parametrize("alone", shelves.UPSTREAMS)
def test_the_sample_builds_from_no_upstream_alone(
    alone: str, web: Nginx, mvn: Maven, project: Path
) -> None:
    build = mvn.run(web.url(alone), project, "clean", "package")
    assert build.code != 0
    assert "BUILD FAILURE" in build.output or "Could not" in build.output, build.output


def test_strict_checksums_are_strict(tmp_path: Path, mvn: Maven) -> None:
    tree = Tree(tmp_path / "tampered")
    tree.release("com.example.other", "base", "1.0", pom=b"<project/>")
    (tree.root / "com/example/other/base/1.0/base-1.0.pom.sha1").write_text("0" * 40)
    child = tmp_path / "child"
    child.mkdir()
    (child / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><parent><groupId>com.example.other</groupId>"
        "<artifactId>base</artifactId><version>1.0</version><relativePath/></parent>"
        "<artifactId>child</artifactId></project>"
    )
    folder = tmp_path / "nginx"
    folder.mkdir()
    with Nginx(folder, {"tampered": tree.root}) as nginx:
        build = mvn.run(nginx.url("tampered"), child, "validate")
    assert build.code != 0
    assert "Checksum validation failed" in build.output, build.output


def test_prefix_range_and_latest_work_on_the_merged_repository(
    web: Nginx, mvn: Maven, tmp_path: Path
) -> None:
    consumer = sample.write_consumer(tmp_path / "consumer", (shelves.GROUP, "catalog", "[1,2)"))
    build = mvn.run(web.url("all"), consumer, "package", "hello:greet")
    assert build.code == 0, build.output
    assert build.fetched("catalog-1.5.jar")
    assert "hello from 2.0" in build.output


def test_every_finished_request_is_counted(web: Nginx, mvn: Maven, project: Path) -> None:
    build = mvn.run(web.url("all"), project, "package")
    assert build.code == 0, build.output
    asked = web.requests()
    jars = {request.path.rsplit("/", 1)[-1] for request in asked if request.status == 200}
    assert {"guava-debian.jar", "banner-1.0.jar", "maven-jar-plugin-3.3.0.jar"} <= jars
    assert web.requests() == asked


def test_a_cut_body_is_told_from_a_whole_one(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "nginx"
    root.mkdir()
    folder.mkdir()
    artifact = big.publish(root, "cut", 8 * big.MIB)
    with Nginx(folder, {"slow": root}, {"slow": 4 * big.MIB}) as nginx:
        url = f"{nginx.url('slow')}/{artifact.path}"
        assert fetch(url).sha256 == artifact.sha256
        with Transfer(url) as transfer:
            transfer.read_to(artifact.size // 4)
            nginx.stop()
            assert not transfer.finish()
        assert transfer.size < artifact.size
