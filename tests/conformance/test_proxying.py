"""The host that an image's name begins with (OCI distribution-spec, main, Registry Proxying)."""

from __future__ import annotations

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client, error_code
from tests.conformance.conftest import DOCUMENTED
from tests.conformance.shelf import fresh_name, publish, publish_tags
from tests.e2e.images import Image, single

pytestmark = pytest.mark.e2e

SECTION = "Registry Proxying"


@pytest.fixture
def image(at_root: Client) -> Image:
    image = single(fresh_name())
    publish(at_root.origin, image)
    publish_tags(at_root.origin, image.name, [image.tag, "2"])
    return image


@pytest.fixture
def source(at_root: Client) -> str:
    """The host that the only registry stands for."""
    return f"127.0.0.1:{at_root.origin.port}"


def paths(image: Image) -> list[str]:
    found = [f"manifests/{image.tag}", f"manifests/{image.digest}", "tags/list"]
    found += [f"blobs/{blob.digest}" for blob in image.blobs]
    return [f"{image.name}/{rest}" for rest in found]


@clause(SECTION, "MAY (main)", "`ns` names the host whose registry is meant")
@clause(SECTION, "SHOULD (main)", "where `ns` decided, it is told as `OCI-Namespace`")
def test_a_namespace_is_told(at_root: Client, image: Image, source: str) -> None:
    for path in paths(image):
        for _ in range(3):
            for answer in (
                at_root.get(f"{path}?ns={source}"),
                at_root.head(f"{path}?ns={source}"),
                at_root.get(path, {"OCI-Namespace": source}),
            ):
                assert (answer.status, answer["OCI-Namespace"]) == (200, source)
    absent = at_root.get(f"{image.name}/manifests/none?ns={source}")
    assert (absent.status, absent["OCI-Namespace"]) == (404, source)


@clause(SECTION, "MAY (main)", "the next page of a list stays with its `ns`")
def test_pages_stay_in_their_namespace(at_root: Client, image: Image, source: str) -> None:
    answer = at_root.get(f"{image.name}/tags/list?n=1&ns={source}")
    target = answer["Link"].partition(">")[0].removeprefix("<" + at_root.base)
    following = at_root.get(target)
    assert (following.status, following["OCI-Namespace"]) == (200, source)
    assert b'"tags":["2"]' in following.body


@clause(SECTION, "SHOULD (main)", "`OCI-Namespace` is told only where `ns` decided")
def test_no_namespace_is_told_where_none_decided(
    at_root: Client, image: Image, source: str
) -> None:
    for path in paths(image):
        assert "OCI-Namespace" not in at_root.get(path)
        explicit = at_root.door.ask("GET", f"{DOCUMENTED}{path}?ns={source}")
        assert explicit.status == 200
        assert "OCI-Namespace" not in explicit


@clause(SECTION, "MAY (main)", "a namespace that nothing here stands for is 404 `NAME_UNKNOWN`")
def test_an_unknown_namespace(at_root: Client, image: Image) -> None:
    before = len(at_root.origin.requests)
    for path in paths(image):
        answer = at_root.get(f"{path}?ns=nowhere.test")
        assert (answer.status, error_code(answer)) == (404, "NAME_UNKNOWN")
    assert len(at_root.origin.requests) == before, "nobody is asked"
