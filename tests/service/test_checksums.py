"""Checksum files come from our own digests of the very bytes that are served."""

from __future__ import annotations

import hashlib

import pytest

from tests.service.hub import DAY, FILE, LARGE, SMALL, MakeHub, down, fake
from virtreg.errors import IntegrityError, NotFound, UpstreamUnavailable
from virtreg.model import Algorithm

METADATA = "org/example/a/maven-metadata.xml"


def document(*versions: str) -> bytes:
    listed = "".join(f"<version>{version}</version>" for version in versions)
    return (
        "<metadata><groupId>org.example</groupId><artifactId>a</artifactId>"
        f"<versioning><versions>{listed}</versions></versioning></metadata>"
    ).encode()


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("body", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_asking_for_the_checksum_first_brings_the_file(
    make_hub: MakeHub, algorithm: Algorithm, body: bytes
) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a)
    expected = hashlib.new(algorithm, body).hexdigest().encode()
    assert hub.pull(f"{FILE}.{algorithm}").body == expected
    again = hub.get(f"{FILE}.{algorithm}")
    assert (again.origin, again.body) == ("hit", expected)
    assert hub.get(FILE).body == body
    assert a.count(FILE) == 1


def test_a_checksum_is_as_fresh_as_its_file(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    assert hub.get(f"{FILE}.sha1").expires_at == hub.get(FILE).expires_at
    a.put(FILE, LARGE)
    hub.clock.advance(DAY)
    assert hub.get(f"{FILE}.sha1").body == hashlib.sha1(LARGE).hexdigest().encode()


def test_a_checksum_has_a_validator_of_its_own(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    got = make_hub(a).get(f"{FILE}.md5")
    assert got.representation.size == 32
    assert got.representation.digests == {Algorithm.SHA256: hashlib.sha256(got.body).hexdigest()}


def test_a_checksum_of_nothing_is_absent(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(f"{FILE}.sha1", b"0" * 40)
    with pytest.raises(NotFound):
        make_hub(a).get(f"{FILE}.sha1")


def test_a_checksum_of_a_file_nobody_can_give_is_an_error(make_hub: MakeHub) -> None:
    a = fake("a")
    a.fail(down())
    with pytest.raises(UpstreamUnavailable):
        make_hub(a).get(f"{FILE}.sha1")


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_checksum_never_vouches_for_a_body_that_was_refused(
    make_hub: MakeHub, body: bytes
) -> None:
    a = fake("a")
    a.put(FILE, body, headers={"x-checksum-sha1": "0" * 40})
    with pytest.raises(IntegrityError):
        make_hub(a).get(f"{FILE}.sha256")


@pytest.mark.parametrize("algorithm", Algorithm)
def test_the_checksum_of_a_merged_document_is_that_of_the_bytes_served(
    make_hub: MakeHub, algorithm: Algorithm
) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    cold = hub.get(f"{METADATA}.{algorithm}").body
    served = hub.get(METADATA).body
    assert cold == hashlib.new(algorithm, served).hexdigest().encode()
    hub.flush()
    assert hub.get(f"{METADATA}.{algorithm}").body == cold
    b.put(METADATA, document("3"))
    hub.clock.advance(DAY)
    warm = hub.get(f"{METADATA}.{algorithm}").body
    assert warm == hashlib.new(algorithm, hub.get(METADATA).body).hexdigest().encode()
    assert warm != cold
