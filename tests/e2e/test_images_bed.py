"""The bed of the image tests itself, without virtreg: every client gets the very bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import oras_client
from tests.e2e.buildah import Buildah
from tests.e2e.containerd import Containerd, mirrored
from tests.e2e.distribution import LOGIN, Distribution, Seen, guarded
from tests.e2e.docker import Docker
from tests.e2e.gallery import Gallery
from tests.e2e.podman import Podman
from tests.e2e.skopeo import Skopeo
from tests.e2e.stored import PullFailed, Stored
from tests.e2e.tokens import Asked, Tokens
from tests.e2e.transfer import fetch

pytestmark = pytest.mark.e2e


@pytest.fixture
def registry(distributions: dict[str, Distribution]) -> Distribution:
    return distributions["second"]


def test_skopeo_copies_every_kind_of_image(
    registry: Distribution, pictures: Gallery, tmp_path: Path
) -> None:
    skopeo = Skopeo(tmp_path / "skopeo")
    for image in (pictures.single, pictures.v2s2, pictures.many, pictures.deep):
        assert skopeo.copy(image.by_digest(registry.host)) == image.digests
    for image in (pictures.multi, pictures.listed, pictures.attested):
        assert skopeo.copy(image.by_tag(registry.host)) == image.first
        assert skopeo.copy(image.by_tag(registry.host), everything=True) == image.digests


def test_clients_that_unpack_say_what_they_unpacked(
    registry: Distribution, pictures: Gallery, tmp_path: Path
) -> None:
    image = pictures.multi
    reference = image.by_tag(registry.host)
    assert Podman(tmp_path / "podman").pull(reference) == Stored.of(image)
    assert Buildah(tmp_path / "buildah").start_from(reference) == Stored.of(image, platform=True)
    with Docker(tmp_path / "docker") as docker:
        assert docker.pull(reference) == Stored.of(image)


def test_containerd_keeps_the_very_bytes(
    registry: Distribution, pictures: Gallery, tmp_path: Path
) -> None:
    image = pictures.nested
    with Containerd(tmp_path / "containerd") as containerd:
        assert containerd.pull(image.by_tag(registry.host), everything=True) == image.digests


def test_containerd_asks_a_mirror_in_place_of_the_host(
    registry: Distribution, pictures: Gallery, tmp_path: Path
) -> None:
    hosts = mirrored(tmp_path / "certs.d", "registry.example.test", registry.url)
    with Containerd(tmp_path / "containerd") as containerd:
        reference = pictures.single.by_tag("registry.example.test")
        assert containerd.pull(reference, hosts=hosts) == pictures.single.digests


def test_oras_gets_the_files_of_an_artifact(
    registry: Distribution, pictures: Gallery, tmp_path: Path
) -> None:
    reference = pictures.artifact.by_tag(registry.host)
    files = oras_client.pull(registry.host, reference, tmp_path / "files")
    assert files == {"report.txt": b"nothing to report\n"}


def test_every_finished_request_is_counted(registry: Distribution, pictures: Gallery) -> None:
    image = pictures.single
    accept = {"Accept": image.top.media_type}
    fetch(f"{registry.url}/v2/{image.name}/manifests/{image.digest}", accept)
    fetch(f"{registry.url}/v2/{image.name}/tags/list?n=1")
    fetch(f"{registry.url}/v2/{image.name}/manifests/absent")
    assert registry.requests() == [
        Seen("GET", f"/v2/{image.name}/manifests/{image.digest}", 200),
        Seen("GET", f"/v2/{image.name}/tags/list", 200),
        Seen("GET", f"/v2/{image.name}/manifests/absent", 404),
    ]
    assert len(registry.requests()) == 3


def test_a_registry_with_passwords_wants_one(pictures: Gallery, tmp_path: Path) -> None:
    image = pictures.single
    skopeo = Skopeo(tmp_path / "skopeo")
    with guarded(tmp_path / "guarded", pictures.storage("second")) as registry:
        with pytest.raises(PullFailed):
            skopeo.copy(image.by_tag(registry.host))
        assert skopeo.copy(image.by_tag(registry.host), login=LOGIN) == image.digests


def test_a_registry_with_tokens_wants_one_for_what_is_not_public(
    pictures: Gallery, tmp_path: Path
) -> None:
    skopeo = Skopeo(tmp_path / "skopeo")
    with (
        Tokens(tmp_path / "tokens", dict([LOGIN])) as tokens,
        Distribution(tmp_path / "private", pictures.storage("second"), tokens.auth) as registry,
    ):
        public, private = pictures.single, pictures.deep
        assert skopeo.copy(public.by_tag(registry.host)) == public.digests
        with pytest.raises(PullFailed):
            skopeo.copy(private.by_tag(registry.host))
        assert skopeo.copy(private.by_tag(registry.host), login=LOGIN) == private.digests
        scope = f"repository:{private.name}:pull"
        assert tokens.seen[-1] == Asked(LOGIN[0], (scope,), 200)
