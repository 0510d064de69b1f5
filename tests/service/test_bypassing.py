"""A store that is out of order: what it keeps comes from the upstreams."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.service.hub import DAY, FILE, LARGE, OTHER, SMALL, Hub, MakeHub, down, fake
from tests.service.images import digest_of, manifest, put_blob, put_manifest
from tests.service.outage import FragileStore
from virtreg.errors import IntegrityError, StorageError, StoreUnavailable, UpstreamUnavailable
from virtreg.events import FillFailed
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Algorithm, Entry
from virtreg.protocols import Bypasses
from virtreg.testing.fakes import FakeUpstream

METADATA = "org/example/a/maven-metadata.xml"
DOCUMENT = (
    b"<metadata><groupId>org.example</groupId><artifactId>a</artifactId>"
    b"<versioning><versions><version>1.0</version></versions></versioning></metadata>"
)


@pytest.fixture
def store() -> FragileStore:
    return FragileStore()


def holding(
    make_hub: MakeHub, store: FragileStore, body: bytes, **more: bool
) -> tuple[FakeUpstream, Hub, Entry]:
    """An upstream, a registry that has cached its file, and what it knows of it."""
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a, store=store, **more)
    assert hub.pull(FILE).body == body
    entry = hub.entry(a, FILE)
    assert entry is not None
    return a, hub, entry


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_what_cannot_be_read_is_streamed_and_nothing_of_it_is_forgotten(
    make_hub: MakeHub, store: FragileStore, body: bytes
) -> None:
    a, hub, entry = holding(make_hub, store, body)
    store.broken = True
    for _ in range(2):
        got = hub.pull(FILE)
        assert (got.origin, got.body) == ("miss", body)
    store.broken = False
    assert hub.entry(a, FILE) is not None
    asked = len(a.requests)
    got = hub.get(FILE)
    assert (got.origin, got.body) == ("hit", body)
    assert len(a.requests) == asked
    assert entry.sha256 in hub.blobs()


def test_without_leave_to_stream_it_is_refused(make_hub: MakeHub, store: FragileStore) -> None:
    a, hub, _ = holding(make_hub, store, SMALL, streams=False)
    asked = len(a.requests)
    store.broken = True
    with pytest.raises(StoreUnavailable) as told:
        hub.get(FILE)
    assert told.value.status == 503
    with pytest.raises(StoreUnavailable):
        hub.registry.bypass(hub.route(FILE))
    assert len(a.requests) == asked


def test_nothing_is_put_while_the_store_says_it_cannot_be_used(
    make_hub: MakeHub, store: FragileStore
) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.put(OTHER, LARGE)
    hub = make_hub(a, store=store)
    store.known_broken = True
    for path, body in ((FILE, SMALL), (OTHER, LARGE)):
        assert hub.get(path).body == body
        failed = hub.events.wait(FillFailed, path)
        assert failed[-1].reason == "the store cannot be used for now"
    assert store.puts == 0
    store.known_broken = False
    for path, body in ((FILE, SMALL), (OTHER, LARGE)):
        assert hub.pull(path).body == body
        assert hub.get(path).origin == "hit"


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_what_is_streamed_is_held_to_the_digest_of_what_is_kept(
    make_hub: MakeHub, store: FragileStore, body: bytes
) -> None:
    a, hub, _ = holding(make_hub, store, body)
    store.broken = True
    a.put(FILE, body[::-1])
    with pytest.raises(IntegrityError, match="sha256"):
        hub.get(FILE)


def test_what_would_have_been_asked_for_anew_may_be_another_by_now(
    make_hub: MakeHub, store: FragileStore
) -> None:
    a, hub, _ = holding(make_hub, store, SMALL)
    store.broken = True
    hub.clock.advance(DAY)
    a.put(FILE, b"another")
    assert hub.get(FILE).body == b"another"


def test_what_the_upstream_vouches_for_is_streamed_as_well(
    make_hub: MakeHub, store: FragileStore
) -> None:
    a, hub, _ = holding(make_hub, store, SMALL)
    store.broken = True
    hub.clock.advance(DAY)
    assert hub.get(FILE).body == SMALL
    entry = hub.entry(a, FILE)
    assert entry is not None
    assert entry.checked_at == hub.clock()


def test_it_says_what_is_wrong_with_the_upstream_where_that_is_broken_too(
    make_hub: MakeHub, store: FragileStore
) -> None:
    a, hub, _ = holding(make_hub, store, SMALL)
    store.broken = True
    a.fail(down())
    with pytest.raises(UpstreamUnavailable):
        hub.get(FILE)
    store.broken = False
    assert hub.get(FILE).body == SMALL


def test_checksums_of_what_is_kept_need_neither(make_hub: MakeHub, store: FragileStore) -> None:
    a, hub, entry = holding(make_hub, store, SMALL)
    store.broken = True
    asked = len(a.requests)
    assert hub.get(f"{FILE}.sha1").body.decode() == entry.sha1
    assert len(a.requests) == asked


def test_a_body_that_turns_out_unreadable_is_had_without_the_store(
    make_hub: MakeHub, store: FragileStore
) -> None:
    _, hub, _ = holding(make_hub, store, LARGE)
    store.cut = True
    resolved = hub.resolve(FILE)
    with resolved.body, pytest.raises(StorageError):
        next(iter(resolved.body.read()))
    assert isinstance(hub.registry, Bypasses)
    again = hub.registry.bypass(hub.route(FILE))
    with again.body:
        assert b"".join(again.body.read()) == LARGE
    checksum = hub.registry.bypass(hub.route(f"{FILE}.sha1"))
    with checksum.body:
        assert len(b"".join(checksum.body.read())) == 40


@pytest.mark.parametrize("trouble", ["broken", "cut"])
def test_lists_are_merged_anew(make_hub: MakeHub, store: FragileStore, trouble: str) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, DOCUMENT)
    b.put(METADATA, DOCUMENT.replace(b"1.0", b"2.0"))
    hub = make_hub(a, b, store=store)
    first = hub.get(METADATA).body
    hub.flush()
    assert hub.get(METADATA).origin == "hit"
    setattr(store, trouble, True)
    resolved = hub.registry.bypass(hub.route(METADATA))
    with resolved.body:
        assert b"".join(resolved.body.read()) == first
    assert hub.index.find(METADATA, [hub.registry.spec.key, a.spec.key, b.spec.key])
    hub.clock.advance(DAY)
    assert hub.registry.bypass(hub.route(METADATA)).representation.size == len(first)
    hub.flush()
    setattr(store, trouble, False)
    assert len(hub.index.find(METADATA, [a.spec.key, b.spec.key])) == 2
    hub.clock.advance(DAY)
    assert hub.get(METADATA).body == first


def test_a_list_that_cannot_be_read_is_merged_without_being_asked_to(
    make_hub: MakeHub, store: FragileStore
) -> None:
    a = fake("a")
    a.put(METADATA, DOCUMENT)
    hub = make_hub(a, store=store)
    hub.get(METADATA)
    hub.flush()
    store.broken = True
    assert hub.get(METADATA).body == DOCUMENT


class TestImages:
    @pytest.fixture
    def a(self) -> FakeUpstream:
        return fake("a")

    def test_a_tag_and_its_layers(
        self, make_hub: MakeHub, store: FragileStore, a: FakeUpstream
    ) -> None:
        one = manifest("one")
        digest = put_manifest(a, "team/app", one, "latest")
        blob = put_blob(a, "team/app", LARGE)
        hub = make_hub(a, store=store, format=ContainerFormat())
        for path in ("team/app/manifests/latest", f"team/app/manifests/{digest}", blob):
            hub.pull(path)
        hub.flush()
        for trouble in ("broken", "cut"):
            setattr(store, trouble, True)
            for path, body in (
                ("team/app/manifests/latest", one),
                (f"team/app/manifests/{digest}", one),
                (blob, LARGE),
            ):
                resolved = hub.registry.bypass(hub.route(path))
                with resolved.body:
                    assert b"".join(resolved.body.read()) == body
            setattr(store, trouble, False)

    def test_a_tag_that_moved_to_what_cannot_be_read(
        self, make_hub: MakeHub, store: FragileStore, a: FakeUpstream
    ) -> None:
        one, two = manifest("one"), manifest("two")
        put_manifest(a, "team/app", one, "latest")
        put_manifest(a, "team/app", two, "next")
        hub = make_hub(a, store=store, format=ContainerFormat())
        hub.pull("team/app/manifests/latest")
        hub.pull("team/app/manifests/next")
        hub.flush()
        put_manifest(a, "team/app", two, "latest")
        store.cut = True
        hub.clock.advance(DAY)
        assert hub.get("team/app/manifests/latest").body == two

    def test_the_facts_of_a_layer_need_no_store(
        self, make_hub: MakeHub, store: FragileStore, a: FakeUpstream
    ) -> None:
        blob = put_blob(a, "team/app", LARGE)
        hub = make_hub(a, store=store, format=ContainerFormat())
        hub.pull(blob)
        store.broken = True
        asked = len(a.requests)
        described = hub.registry.describe(hub.route(blob))
        described.body.close()
        assert described.representation.size == len(LARGE)
        assert described.representation.digests[Algorithm.SHA256] in digest_of(LARGE)
        assert len(a.requests) == asked


def test_a_copy_that_nobody_can_vouch_for_is_not_made_up(
    make_hub: MakeHub, store: FragileStore
) -> None:
    _, hub, entry = holding(make_hub, store, SMALL)
    hub.index.put([evolve(entry, sha256="0" * 64)])
    store.broken = True
    with pytest.raises(IntegrityError):
        hub.get(FILE)
