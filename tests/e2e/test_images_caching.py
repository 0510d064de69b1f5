"""What is asked of upstreams once an image was pulled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.conftest import Serve
from tests.e2e.distribution import Distribution, Seen
from tests.e2e.gallery import Gallery
from tests.e2e.server import Server, Upstream
from tests.e2e.skopeo import Skopeo

pytestmark = pytest.mark.e2e

OVER_AT_ONCE = {"cache_validity_hours": 1e-9}


@pytest.fixture
def skopeo(tmp_path: Path) -> Skopeo:
    return Skopeo(tmp_path / "skopeo")


def _asked(distributions: dict[str, Distribution]) -> dict[str, list[Seen]]:
    return {name: registry.requests() for name, registry in distributions.items()}


def _restarted(server: Server, settings: dict[str, float]) -> None:
    server.stop()
    server.upstreams = [Upstream(one.name, one.url, settings) for one in server.upstreams]
    server.start()


def test_a_second_pull_asks_no_upstream(
    distributions: dict[str, Distribution],
    sources: list[Upstream],
    serve: Serve,
    skopeo: Skopeo,
    pictures: Gallery,
) -> None:
    server = serve(*sources, kind="container")
    image = pictures.multi
    assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
    asked = _asked(distributions)
    # Where a tag points is asked of everybody at once, which costs no quota.
    assert {one.method for one in asked["third"]} <= {"HEAD"}
    assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
    assert skopeo.copy(image.by_digest(server.images), everything=True) == image.digests
    assert _asked(distributions) == asked


def test_nothing_is_fetched_twice(
    distributions: dict[str, Distribution],
    sources: list[Upstream],
    serve: Serve,
    skopeo: Skopeo,
    pictures: Gallery,
) -> None:
    server = serve(*sources, kind="container")
    skopeo.copy(pictures.many.by_tag(server.images))
    assert distributions["second"].sent(pictures.many) == sorted(pictures.many.digests)


def test_an_expired_tag_costs_one_head(
    distributions: dict[str, Distribution],
    sources: list[Upstream],
    serve: Serve,
    skopeo: Skopeo,
    pictures: Gallery,
) -> None:
    server = serve(*sources, kind="container")
    image = pictures.multi
    skopeo.copy(image.by_tag(server.images), everything=True)
    _restarted(server, OVER_AT_ONCE)
    asked = distributions["second"].requests()
    assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
    assert distributions["second"].requests()[len(asked) :] == [
        Seen("HEAD", f"/v2/{image.name}/manifests/{image.tag}", 200)
    ]


def test_a_tag_that_moved_is_followed(serve: Serve, skopeo: Skopeo, tmp_path: Path) -> None:
    old, new = (images.single("lab/moving", "latest", layers=layers) for layers in (1, 2))
    with Distribution(tmp_path / "own", tmp_path / "own-storage") as registry:
        registry.push(old)
        server = serve(Upstream("own", registry.url, OVER_AT_ONCE), kind="container")
        assert skopeo.copy(old.by_tag(server.images)) == old.digests
        registry.push(new)
        assert skopeo.copy(new.by_tag(server.images)) == new.digests
        assert skopeo.copy(old.by_digest(server.images)) == old.digests


def test_upstreams_that_stopped_are_not_missed(
    distributions: dict[str, Distribution],
    sources: list[Upstream],
    serve: Serve,
    skopeo: Skopeo,
    pictures: Gallery,
) -> None:
    server = serve(*sources, kind="container")
    image = pictures.multi
    skopeo.copy(image.by_tag(server.images), everything=True)
    for registry in distributions.values():
        registry.stop()
    assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
    _restarted(server, OVER_AT_ONCE)
    assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
    assert skopeo.copy(image.by_digest(server.images), everything=True) == image.digests
