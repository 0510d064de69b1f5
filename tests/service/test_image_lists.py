"""Tags, referrers and repositories of images, over several upstreams."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.service.hub import Hub, MakeHub, down, fake
from virtreg.errors import IntegrityError, NotFound, UpstreamUnavailable
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.testing.fakes import FakeUpstream

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}'
SUBJECT = hashlib.sha256(MANIFEST).hexdigest()
REFERRERS = f"nginx/referrers/sha256:{SUBJECT}"
TAGS = "nginx/tags/list"


def make(make_hub: MakeHub, *upstreams: FakeUpstream) -> Hub:
    return make_hub(*upstreams, format=ContainerFormat())


def read(hub: Hub, path: str) -> Any:
    return json.loads(hub.get(path).body)


def tags(*names: str, repository: str = "nginx") -> bytes:
    return json.dumps({"name": repository, "tags": names}).encode()


def index(*digits: str) -> bytes:
    """Of descriptors whose digests are one digit."""
    descriptors = [
        {"mediaType": INDEX, "digest": f"sha256:{each * 64}", "size": 1} for each in digits
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors}).encode()


def digits(document: Any) -> list[str]:
    return [each["digest"][-1] for each in document["manifests"]]


def serve_index(upstream: FakeUpstream, path: str, document: bytes) -> None:
    upstream.put(path, document, headers={"content-type": INDEX})


def test_the_tags_of_all_upstreams_and_pages_are_listed_under_the_name_asked_for(
    make_hub: MakeHub,
) -> None:
    docker, mirror = fake("docker", default_namespace="library"), fake("mirror")
    docker.put(
        "v2/library/nginx/tags/list?n=1000",
        tags("1", "1.1", repository="library/nginx"),
        headers={
            "content-type": "application/json",
            "link": '</v2/library/nginx/tags/list?n=1000&last=1.1>; rel="next"',
        },
    )
    docker.put(
        "v2/library/nginx/tags/list?n=1000&last=1.1",
        tags("latest", repository="library/nginx"),
        headers={"content-type": "application/json"},
    )
    mirror.put(f"v2/{TAGS}", tags("1", "mine"), headers={"content-type": "application/json"})
    hub = make(make_hub, docker, mirror)
    assert read(hub, TAGS) == {"name": "nginx", "tags": ["1", "1.1", "latest", "mine"]}
    hub.flush()
    assert hub.entry(docker, "library/nginx/tags/list") is not None
    assert {request.scope for request in docker.requests} == {"repository:library/nginx:pull"}


def test_tags_nobody_has_are_absent(make_hub: MakeHub) -> None:
    with pytest.raises(NotFound):
        make(make_hub, fake("a"), fake("b")).get(TAGS)


def test_referrers_are_merged_from_the_endpoint_and_from_the_tag(make_hub: MakeHub) -> None:
    new, old, none = fake("new"), fake("old"), fake("none")
    serve_index(new, f"v2/{REFERRERS}", index("1", "2"))
    serve_index(old, f"v2/nginx/manifests/sha256-{SUBJECT}", index("2", "3"))
    hub = make(make_hub, new, old, none)
    assert digits(read(hub, REFERRERS)) == ["1", "2", "3"]
    assert [request.path for request in new.requests] == [f"v2/{REFERRERS}"]
    assert len(none.requests) == 2


def test_what_has_no_referrers_has_an_empty_list_of_them(make_hub: MakeHub) -> None:
    a = fake("a")
    hub = make(make_hub, a, fake("b"))
    assert read(hub, REFERRERS) == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    hub.flush()
    asked = len(a.requests)
    assert hub.get(REFERRERS).origin == "hit"
    assert len(a.requests) == asked


def test_referrers_are_not_denied_because_an_upstream_is_down(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.fail(down())
    with pytest.raises(UpstreamUnavailable):
        make(make_hub, a, b).get(REFERRERS)


def test_a_tag_that_is_no_index_is_not_read_as_a_list_of_referrers(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(f"v2/nginx/manifests/sha256-{SUBJECT}", MANIFEST)
    with pytest.raises(IntegrityError):
        make(make_hub, a).get(REFERRERS)


def test_repositories_of_which_something_is_cached_are_listed(make_hub: MakeHub) -> None:
    docker, mirror = fake("docker", default_namespace="library"), fake("mirror")
    docker.put(f"v2/library/nginx/manifests/sha256:{SUBJECT}", MANIFEST)
    mirror.put(f"v2/team/app/blobs/sha256:{SUBJECT}", MANIFEST)
    mirror.put("v2/team/other/tags/list", tags("1", repository="team/other"))
    hub = make(make_hub, docker, mirror)
    hub.get(f"nginx/manifests/sha256:{SUBJECT}")
    hub.get(f"team/app/blobs/sha256:{SUBJECT}")
    hub.get("team/other/tags/list")
    hub.flush()
    asked = len(docker.requests) + len(mirror.requests)
    assert read(hub, "_catalog") == {"repositories": ["library/nginx", "team/app"]}
    assert len(docker.requests) + len(mirror.requests) == asked
