"""Which digests a body is kept with."""

from __future__ import annotations

import hashlib

import pytest

from tests.service.hub import FILE, LARGE, SMALL, MakeHub, fake
from tests.service.images import put_blob
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Algorithm


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_layer_is_kept_with_the_digest_that_images_go_by(make_hub: MakeHub, body: bytes) -> None:
    a = fake("a")
    path = put_blob(a, "app", body)
    hub = make_hub(a, format=ContainerFormat())
    hub.pull(path)
    entry = hub.entry(a, path)
    assert entry is not None
    assert entry.digests == {Algorithm.SHA256: hashlib.sha256(body).hexdigest()}
    assert hub.get(path).origin == "hit"


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_layer_asked_for_by_sha512_is_kept_with_that_too(make_hub: MakeHub, body: bytes) -> None:
    a = fake("a")
    path = f"app/blobs/sha512:{hashlib.sha512(body).hexdigest()}"
    a.put(f"v2/{path}", body)
    hub = make_hub(a, format=ContainerFormat())
    hub.pull(path)
    entry = hub.entry(a, path)
    assert entry is not None
    assert entry.digests == {
        Algorithm.SHA256: hashlib.sha256(body).hexdigest(),
        Algorithm.SHA512: hashlib.sha512(body).hexdigest(),
    }
    assert hub.get(path).origin == "hit"


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_file_that_others_may_ask_a_checksum_of_is_kept_with_every_digest(
    make_hub: MakeHub, body: bytes
) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a)
    hub.pull(FILE)
    entry = hub.entry(a, FILE)
    assert entry is not None
    assert entry.digests == {
        algorithm: hashlib.new(algorithm.value, body).hexdigest() for algorithm in Algorithm
    }
