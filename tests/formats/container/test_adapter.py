"""The container format as the rest of virtreg meets it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from tests.formats.container.strategies import digests, names, tags
from virtreg.formats import named
from virtreg.formats.container.media_types import OCI_INDEX
from virtreg.formats.container.names import print_digest
from virtreg.model import Algorithm, UpstreamSpec
from virtreg.protocols import Format, Gathers, Lists, Localizes, Pins, Views
from virtreg.testing.formats import FormatSuite
from virtreg.testing.powers import PowersSuite

HEX = "0123456789abcdef" * 4


def tag_list(*listed: str) -> bytes:
    return json.dumps({"name": "app", "tags": listed}).encode()


def index(digit: str) -> bytes:
    entry = {"mediaType": OCI_INDEX, "digest": f"sha256:{digit * 64}", "size": 1}
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    return json.dumps(body).encode()


class TestContainerFormat(FormatSuite):
    valid_paths = (
        "app/manifests/latest",
        "app/manifests/latest/manifests/1",
        "app/manifests/v1",
        "app/manifests/v1/extra/tags/list",
        f"app/manifests/sha256:{HEX}",
        f"app/blobs/sha256:{HEX}",
        f"app/blobs/sha512:{HEX * 2}",
        f"app/blobs/deep/blobs/sha256:{HEX}",
        "app/tags/list",
        f"app/referrers/sha256:{HEX}",
        "app/tags/list/manifests/latest",
        "team/my-app_2/part.x/manifests/V1.0-rc_1",
        "_catalog",
    )
    invalid_paths = (
        "app",
        "App/manifests/1",
        "app/blobs/1",
        "app/manifests/",
        "app/blobs/uploads/",
    )
    merge_samples: ClassVar[Mapping[str, Sequence[bytes]]] = {
        "app/tags/list": (tag_list("A", "b"), tag_list("b", "c"), tag_list()),
        f"app/referrers/sha256:{HEX}": (index("1"), index("2"), index("1")),
    }
    upstream_samples = (
        *PowersSuite.upstream_samples,
        UpstreamSpec("hub", "https://registry-1.docker.io"),
    )
    view_samples: ClassVar[Mapping[str, Sequence[Mapping[str, str]]]] = {
        "app/tags/list": ({"n": "1"}, {"last": "A"}, {"n": "0", "last": "é\r\n"}),
        "_catalog": ({"n": "2"}, {"n": "1", "last": "a"}),
        f"app/referrers/sha256:{HEX}": ({"artifactType": "a/b\r\nX: 1"},),
    }
    refused_queries: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "app/tags/list": {"n": "-1"},
        "_catalog": {"n": "many"},
    }

    def make_format(self) -> Format:
        return named("container")


def test_it_has_every_power() -> None:
    for power in (Localizes, Pins, Gathers, Views, Lists):
        assert isinstance(named("container"), power)


leaves = st.one_of(
    tags().map("manifests/{}".format),
    digests().map(lambda digest: f"manifests/{print_digest(digest)}"),
    digests().map(lambda digest: f"blobs/{print_digest(digest)}"),
    digests().map(lambda digest: f"referrers/{print_digest(digest)}"),
    st.just("tags/list"),
)


@given(st.lists(st.tuples(names(), leaves), max_size=25))
def test_the_list_of_what_is_cached_finds_every_repository(
    cached: list[tuple[str, str]],
) -> None:
    container = named("container")
    assert isinstance(container, Lists)
    paths = sorted({f"{name}/{leaf}" for name, leaf in cached})
    found: set[str] = set()
    after = ""
    while rest := [path for path in paths if path > after]:
        name, after = container.shelf(rest[0])
        if name is not None:
            found.add(name)
    assert found == {name for name, leaf in cached if leaf.startswith(("manifests/", "blobs/"))}


def test_all_digests_of_a_repository_are_passed_in_one_step() -> None:
    container = named("container")
    assert isinstance(container, Lists)
    name, after = container.shelf(f"team/app/blobs/{Algorithm.SHA256}:{'0' * 64}")
    assert name == "team/app"
    assert after > f"team/app/blobs/{Algorithm.SHA256}:{'f' * 64}"
