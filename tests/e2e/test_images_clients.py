"""Every client pulls every kind of image through virtreg, from the second upstream of three."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import oras_client
from tests.e2e.buildah import Buildah
from tests.e2e.conftest import Serve
from tests.e2e.containerd import Containerd, mirrored
from tests.e2e.docker import Docker
from tests.e2e.gallery import Gallery
from tests.e2e.images import OCI_INDEX, Image
from tests.e2e.podman import Podman
from tests.e2e.server import Server, Upstream
from tests.e2e.skopeo import Skopeo
from tests.e2e.soundness import unsound_blobs
from tests.e2e.stored import Stored
from tests.e2e.transfer import fetch

pytestmark = pytest.mark.e2e

Refer = Callable[[Image, str], str]

both_ways = pytest.mark.parametrize(
    "refer",
    [pytest.param(Image.by_tag, id="by tag"), pytest.param(Image.by_digest, id="by digest")],
)


@pytest.fixture
def server(sources: list[Upstream], serve: Serve) -> Server:
    return serve(*sources, kind="container", namespaces=["registry.example.test"])


@both_ways
def test_skopeo_copies_one_platform(
    refer: Refer, server: Server, pictures: Gallery, tmp_path: Path
) -> None:
    skopeo = Skopeo(tmp_path / "skopeo")
    wanted = (pictures.single, pictures.v2s2, pictures.multi, pictures.listed, pictures.many)
    for image in (*wanted, pictures.attested, pictures.deep):
        assert skopeo.copy(refer(image, server.images)) == image.first, image
    assert unsound_blobs(server.data) == []


@both_ways
def test_skopeo_copies_all_platforms(
    refer: Refer, server: Server, pictures: Gallery, tmp_path: Path
) -> None:
    skopeo = Skopeo(tmp_path / "skopeo")
    for image in (pictures.single, pictures.multi, pictures.listed, pictures.attested):
        assert skopeo.copy(refer(image, server.images), everything=True) == image.digests, image


@both_ways
def test_podman_pulls(refer: Refer, server: Server, pictures: Gallery, tmp_path: Path) -> None:
    podman = Podman(tmp_path / "podman")
    for image in (pictures.v2s2, pictures.multi, pictures.many):
        assert podman.pull(refer(image, server.images)) == Stored.of(image), image


@both_ways
def test_buildah_builds_from(
    refer: Refer, server: Server, pictures: Gallery, tmp_path: Path
) -> None:
    buildah = Buildah(tmp_path / "buildah")
    for image in (pictures.single, pictures.listed):
        started = buildah.start_from(refer(image, server.images))
        assert started == Stored.of(image, platform=True), image


def test_docker_pulls(server: Server, pictures: Gallery, tmp_path: Path) -> None:
    wanted = (pictures.single, pictures.v2s2, pictures.multi, pictures.listed, pictures.many)
    with Docker(tmp_path / "docker") as docker:
        for image in wanted:
            for reference in (image.by_tag(server.images), image.by_digest(server.images)):
                assert docker.pull(reference) == Stored.of(image), reference


def test_docker_pulls_through_a_mirror_of_the_hub(
    server: Server, pictures: Gallery, tmp_path: Path
) -> None:
    with Docker(tmp_path / "docker", f"http://{server.host}") as docker:
        assert docker.pull("multi:1") == Stored.of(pictures.multi)


def test_containerd_pulls(server: Server, pictures: Gallery, tmp_path: Path) -> None:
    wanted = (pictures.single, pictures.v2s2, pictures.listed, pictures.many, pictures.deep)
    with Containerd(tmp_path / "containerd") as containerd:
        for image in wanted:
            for reference in (image.by_tag(server.images), image.by_digest(server.images)):
                held = containerd.pull(reference)
                assert {image.digest, *image.first} <= held, reference
        for image in (pictures.multi, pictures.nested):
            assert image.digests <= containerd.pull(image.by_tag(server.images), everything=True)


def test_containerd_pulls_through_a_mirror_that_is_told_the_host(
    server: Server, pictures: Gallery, tmp_path: Path
) -> None:
    hosts = mirrored(tmp_path / "certs.d", "registry.example.test", f"http://{server.host}")
    with Containerd(tmp_path / "containerd") as containerd:
        for image in (pictures.single, pictures.multi):
            reference = image.by_tag("registry.example.test")
            assert {image.digest, *image.first} <= containerd.pull(reference, hosts=hosts)


def test_oras_pulls_an_artifact(server: Server, pictures: Gallery, tmp_path: Path) -> None:
    reference = pictures.artifact.by_tag(server.images)
    files = oras_client.pull(server.host, reference, tmp_path / "files")
    assert files == {"report.txt": b"nothing to report\n"}


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A folder of which nothing stays."""
    folder = tmp_path / "roomy"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(180)
def test_a_layer_of_half_a_gigabyte_arrives(server: Server, pictures: Gallery, roomy: Path) -> None:
    image = pictures.big
    assert Skopeo(roomy / "skopeo").copy(image.by_tag(server.images)) == image.digests
    with Containerd(roomy / "containerd") as containerd:
        assert containerd.pull(image.by_digest(server.images)) == image.digests


def test_skopeo_lists_the_tags_of_all_upstreams(
    server: Server, pictures: Gallery, tmp_path: Path
) -> None:
    listed = Skopeo(tmp_path / "skopeo").tags(f"{server.images}/{pictures.single.name}")
    assert listed == sorted({"1", pictures.referrer.tag, pictures.referrers.tag})


def test_digests_of_other_algorithms_are_digests(server: Server, pictures: Gallery) -> None:
    image = pictures.sha512
    base = f"http://{server.host}/v2/main/{image.name}"
    assert f"sha256:{fetch(f'{base}/manifests/{image.tag}').sha256}" == image.digest
    for part in image.blobs:
        assert part.digest.startswith("sha512:")
        assert fetch(f"{base}/blobs/{part.digest}").head == part.source


def test_referrers_are_found_under_their_tag(server: Server, pictures: Gallery) -> None:
    subject = pictures.single
    url = f"http://{server.host}/v2/main/{subject.name}/referrers/{subject.digest}"
    with urllib.request.urlopen(url) as answer:
        assert answer.headers["Content-Type"] == OCI_INDEX
        found = json.load(answer)["manifests"]
    assert [one["digest"] for one in found] == [pictures.referrer.digest]
