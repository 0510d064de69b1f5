"""Manifests, by GET (OCI distribution-spec, Pulling manifests)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client
from tests.conformance.shelf import fresh_name, publish
from tests.e2e.images import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Image,
    Manifest,
    artifact,
    attested,
    descriptor,
    multi,
    nested,
    signed,
    single,
)

pytestmark = pytest.mark.e2e

SECTION = "Pulling manifests"


def lone(name: str, body: dict[str, Any], kind: str = OCI_MANIFEST) -> Image:
    text = json.dumps({"schemaVersion": 2, "mediaType": kind, **body}, indent=2)
    return Image(name, "1", (), (Manifest(kind, text.encode()),))


def extended(name: str) -> Image:
    """Fields that no specification has, and content inside descriptors."""
    parts = single(name)
    config, layer = parts.blobs
    body = {
        "config": descriptor(config, data="e30="),
        "layers": [descriptor(layer, data="", odd={"er": [1.50, None]})],
        "org.example.unknown": name,
    }
    return lone(name, body)


def large(name: str) -> Image:
    """As large as every registry must take (Pushing Manifests)."""
    body = {"config": descriptor(single(name).blobs[0]), "layers": []}
    frame = len(lone(name, {**body, "annotations": {"a": ""}}).top.body)
    return lone(name, {**body, "annotations": {"a": "A" * (4 * 1024**2 - frame)}})


KINDS: dict[str, Callable[[str], Image]] = {
    "image": single,
    "docker image": lambda name: single(name, family="docker"),
    "index": multi,
    "docker manifest list": lambda name: multi(name, family="docker"),
    "nested index": nested,
    "index with attestation": attested,
    "artifact": lambda name: artifact(name, name.encode()),
    "artifact with subject": lambda name: signed(single(name))[0],
    "empty index": lambda name: lone(
        name, {"manifests": [], "annotations": {"n": name}}, OCI_INDEX
    ),
    "artifact index": lambda name: lone(
        name, {"artifactType": "application/x.a", "manifests": [], "n": name}, OCI_INDEX
    ),
    "no layers": lambda name: lone(
        name, {"config": descriptor(single(name).blobs[0]), "layers": []}
    ),
    "unknown fields and data": extended,
    "large": large,
}
"""The kinds of content that the official suite pulls, and Docker's."""


@pytest.fixture
def image(client: Client) -> Image:
    """At the upstream, and for a warm client in the cache."""
    image = single(fresh_name())
    publish(client.origin, image)
    client.prepare_image(image)
    return image


def by_tag(image: Image) -> str:
    return f"{image.name}/manifests/{image.tag}"


def by_digest(image: Image) -> str:
    return f"{image.name}/manifests/{image.digest}"


@clause(SECTION, "MUST", "a manifest asked for by tag is 200 with exactly its bytes (end-3)")
def test_a_manifest_by_tag(client: Client, image: Image) -> None:
    answer = client.get(by_tag(image))
    assert (answer.status, answer.body) == (200, image.top.body)
    assert answer["Content-Length"] == str(len(image.top.body))


@clause(SECTION, "MUST", "a manifest asked for by digest is 200 with exactly its bytes (end-3)")
def test_a_manifest_by_digest(client: Client, image: Image) -> None:
    answer = client.get(by_digest(image))
    assert (answer.status, answer.body) == (200, image.top.body)
    assert answer["Content-Length"] == str(len(image.top.body))


@clause(SECTION, "suite", "every kind of manifest comes as it was pushed, up to 4 MiB")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_manifest(client: Client, kind: str) -> None:
    image = KINDS[kind](fresh_name())
    publish(client.origin, image)
    client.prepare_image(image)
    answers = [client.get(by_tag(image))]
    answers += [client.get(f"{image.name}/manifests/{one.digest}") for one in image.manifests]
    for answer, manifest in zip(answers, (image.top, *image.manifests), strict=True):
        assert (answer.status, answer.body) == (200, manifest.body)
        assert answer["Content-Type"] == manifest.media_type
        assert answer["Docker-Content-Digest"] == manifest.digest


@clause(SECTION, "MUST", "a manifest that is not in the repository is 404")
def test_a_manifest_that_is_not_there(client: Client, image: Image) -> None:
    absent = f"sha256:{hashlib.sha256(image.name.encode()).hexdigest()}"
    for reference in ("missing-tag", absent):
        for name in (image.name, fresh_name()):
            found = client.refused(f"{name}/manifests/{reference}")
            assert found == (404, "MANIFEST_UNKNOWN")


@clause(SECTION, "MUST", "`Content-Type` is the type of the manifest")
@clause(SECTION, "SHOULD", "`Content-Type` is the one the manifest was pushed with")
@pytest.mark.parametrize("kind", [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST])
def test_a_manifest_is_called_what_it_was_pushed_as(client: Client, kind: str) -> None:
    field = "layers" if kind in (OCI_MANIFEST, DOCKER_MANIFEST) else "manifests"
    image = lone(fresh_name(), {field: [], "salt": fresh_name()}, kind)
    publish(client.origin, image)
    client.prepare_image(image)
    for path in (by_tag(image), by_digest(image)):
        assert client.get(path)["Content-Type"] == kind


@clause(SECTION, "SHOULD", "`Content-Type` has no parameters")
def test_the_type_has_no_parameters(client: Client) -> None:
    image = single(fresh_name())
    publish(client.origin, image)
    for reference in (image.tag, image.digest):
        client.origin.put(
            f"v2/{image.name}/manifests/{reference}",
            image.top.body,
            headers={"Content-Type": f"{OCI_MANIFEST}; charset=utf-8"},
        )
    client.prepare_image(image)
    for path in (by_tag(image), by_digest(image)):
        assert client.get(path)["Content-Type"] == OCI_MANIFEST


@clause(
    SECTION, "SHOULD", "`Content-Type` is the manifest's `mediaType` where an upstream is vague"
)
def test_the_type_is_the_one_stated_inside(client: Client) -> None:
    image = single(fresh_name())
    for reference in (image.tag, image.digest):
        client.origin.put(
            f"v2/{image.name}/manifests/{reference}",
            image.top.body,
            headers={"Content-Type": "application/json"},
        )
    client.prepare(by_tag(image))
    for path in (by_tag(image), by_digest(image)):
        assert client.get(path)["Content-Type"] == OCI_MANIFEST


@clause(SECTION, "SHOULD", "`Docker-Content-Digest` is the manifest's digest")
@clause(SECTION, "MUST (main)", "`Docker-Content-Digest` is told, whatever an upstream tells")
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_the_digest_of_a_manifest(client: Client, told: bool) -> None:
    image = single(fresh_name())
    publish(client.origin, image)
    if not told:
        for reference in (image.tag, image.digest):
            path = f"v2/{image.name}/manifests/{reference}"
            client.origin.put(path, image.top.body, headers={"Content-Type": OCI_MANIFEST})
    client.prepare_image(image)
    for path in (by_tag(image), by_digest(image)):
        assert client.get(path)["Docker-Content-Digest"] == image.digest


@clause(
    SECTION, "MAY", "a manifest asked for by SHA-512 has its SHA-512 in `Docker-Content-Digest`"
)
def test_the_digest_is_in_the_algorithm_asked_for(client: Client) -> None:
    image = single(fresh_name())
    digest = f"sha512:{hashlib.sha512(image.top.body).hexdigest()}"
    path = f"{image.name}/manifests/{digest}"
    headers = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digest}
    client.origin.put(f"v2/{path}", image.top.body, headers=headers)
    client.prepare(path)
    answer = client.get(path)
    assert (answer.status, answer.body) == (200, image.top.body)
    assert answer["Docker-Content-Digest"] == digest


@clause(
    SECTION,
    "SHOULD",
    "`Accept` is heeded",
    "the manifest as it was pushed, whatever is accepted: another would have another digest",
)
@pytest.mark.parametrize(
    "accepted",
    [
        [],
        [("Accept", "*/*")],
        [("Accept", OCI_INDEX), ("Accept", OCI_MANIFEST)],
        [("Accept", f"{OCI_INDEX}, {OCI_MANIFEST};q=0.5")],
        [("Accept", DOCKER_MANIFEST)],
    ],
    ids=["nothing", "anything", "lines", "list", "another"],
)
def test_whatever_is_accepted_the_manifest_comes(
    client: Client, image: Image, accepted: list[tuple[str, str]]
) -> None:
    for path in (by_tag(image), by_digest(image)):
        answer = client.lines(path, accepted)
        assert (answer.status, answer.body) == (200, image.top.body)
        assert answer["Content-Type"] == OCI_MANIFEST


@clause(SECTION, "MUST", "a name of the grammar is a name")
@pytest.mark.parametrize(
    "name",
    [
        "a",
        "0",
        "a.b_c__d-e---f/0",
        "blobs/manifests/tags/referrers",
        "tags/list",
        "virtual",
        "x" * 200,
        "/".join("abcdefghij" * 4),
    ],
)
def test_names_of_the_grammar(client: Client, name: str) -> None:
    image = single(name)
    publish(client.origin, image)
    client.prepare_image(image)
    assert client.get(by_tag(image)).body == image.top.body
    for blob in image.blobs:
        assert client.get(f"{name}/blobs/{blob.digest}").body == blob.source


@clause(SECTION, "MUST", "a name outside the grammar is none: 400 `NAME_INVALID`")
@pytest.mark.parametrize("name", ["A", "a/B", "-a", "a-", "a..b", "a___b", "a._b", "a//b", "a%20b"])
def test_names_outside_the_grammar(client: Client, name: str) -> None:
    for rest in ("manifests/latest", f"blobs/sha256:{'0' * 64}", "tags/list"):
        assert client.refused(f"{name}/{rest}") == (400, "NAME_INVALID")


@clause(
    SECTION,
    "MAY",
    "a name may be long",
    "255 characters at most, as many clients have it: more is 400 `NAME_INVALID`",
)
def test_names_that_are_too_long(client: Client) -> None:
    assert client.refused(f"{'a' * 256}/manifests/latest") == (400, "NAME_INVALID")


@clause(SECTION, "MUST", "a tag of the grammar, of up to 128 characters, is a tag")
@pytest.mark.parametrize("tag", ["1", "_", "A.b-c_D", "sha256-abc", "list", "x" * 128])
def test_tags_of_the_grammar(client: Client, tag: str) -> None:
    image = single(fresh_name(), tag)
    publish(client.origin, image)
    client.prepare_image(image)
    assert client.get(by_tag(image)).body == image.top.body


@clause(SECTION, "MUST", "nothing has a tag outside the grammar: 404")
@pytest.mark.parametrize("tag", [".a", "-a", "a+b", "a%20b", "x" * 129, "%C3%A9"])
def test_tags_outside_the_grammar(client: Client, image: Image, tag: str) -> None:
    assert client.refused(f"{image.name}/manifests/{tag}") == (404, "MANIFEST_UNKNOWN")


@clause(SECTION, "MUST", "a reference is a digest or a tag: a malformed digest is 400")
@pytest.mark.parametrize(
    "digest", ["sha256:baddigeststring", "sha256:", f"sha256:{'A' * 64}", f"sha512:{'0' * 64}"]
)
def test_malformed_digests(client: Client, image: Image, digest: str) -> None:
    for kind in ("manifests", "blobs"):
        assert client.refused(f"{image.name}/{kind}/{digest}") == (400, "DIGEST_INVALID")


@clause(
    SECTION,
    "MAY",
    "digests may be of any algorithm",
    "SHA-256 and SHA-512, those that are registered: another cannot be proved, and is 400",
)
def test_digests_of_other_algorithms(client: Client, image: Image) -> None:
    path = f"{image.name}/manifests/blake3:{'0' * 64}"
    assert client.refused(path) == (400, "DIGEST_INVALID")
