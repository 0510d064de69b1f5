"""Names that move: which body they stand for, and who was asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.hub import DAY, Hub, MakeHub, down, fake
from tests.service.images import MANIFEST, asked, digest_of, manifest, put_manifest
from virtreg.errors import (
    IntegrityError,
    NotFound,
    UpstreamDenied,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamUnavailable,
)
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Algorithm, Secret
from virtreg.testing.fakes import FakeUpstream

TAG = "team/app/manifests/latest"
ONE, TWO = manifest("one"), manifest("two")


def by_digest(content: bytes) -> str:
    return f"team/app/manifests/{digest_of(content)}"


@pytest.fixture
def hub_of(make_hub: MakeHub) -> MakeHub:
    def make(*upstreams: FakeUpstream, **options: Any) -> Hub:
        return make_hub(*upstreams, format=ContainerFormat(), **options)

    return make


def test_a_tag_costs_one_head_and_one_get_by_digest(hub_of: MakeHub) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest")
    got = hub_of(a).pull(TAG)
    assert (got.body, got.origin) == (ONE, "miss")
    assert got.representation.content_type == MANIFEST
    assert asked(a) == [f"HEAD {TAG}", f"GET {by_digest(ONE)}"]


def test_a_tag_that_was_pulled_serves_its_digest_too_and_the_other_way_round(
    hub_of: MakeHub,
) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest", "1")
    hub = hub_of(a)
    hub.pull(TAG)
    assert hub.pull(by_digest(ONE)).origin == "hit"
    assert hub.pull("team/app/manifests/1").body == ONE
    assert asked(a)[2:] == ["HEAD team/app/manifests/1"]


def test_within_its_validity_nobody_is_asked_and_after_it_one_head(hub_of: MakeHub) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest")
    hub = hub_of(a)
    hub.pull(TAG)
    before = len(a.requests)
    hub.clock.advance(DAY - 1)
    assert hub.get(TAG).origin == "hit"
    assert len(a.requests) == before
    hub.clock.advance(1)
    got = hub.get(TAG)
    assert (got.origin, got.body) == ("revalidated", ONE)
    assert got.expires_at == hub.clock() + DAY
    assert asked(a)[before:] == [f"HEAD {TAG}"]


def test_a_digest_never_goes_upstream_again(hub_of: MakeHub) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE)
    hub = hub_of(a)
    hub.pull(by_digest(ONE))
    a.fail(down())
    hub.clock.advance(1000 * DAY)
    assert hub.get(by_digest(ONE)).origin == "hit"


def test_a_tag_that_moved_gives_the_new_digest_with_the_new_body(hub_of: MakeHub) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest")
    hub = hub_of(a)
    hub.pull(TAG)
    put_manifest(a, "team/app", TWO, "latest")
    hub.clock.advance(DAY)
    for _ in range(2):
        resolved = hub.resolve(TAG)
        with resolved.body as body:
            assert b"".join(body.read()) == TWO
        told = resolved.representation.digests[Algorithm.SHA256]
        assert f"sha256:{told}" == digest_of(TWO)
        hub.flush()
    assert hub.get(by_digest(ONE)).body == ONE


def test_a_tag_that_moved_to_what_cannot_be_had_is_served_as_it_was_with_a_warning(
    hub_of: MakeHub,
) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest")
    hub = hub_of(a)
    hub.pull(TAG)
    digest = put_manifest(a, "team/app", TWO, "latest")
    a.fail(down(), f"v2/team/app/manifests/{digest}")
    hub.clock.advance(DAY)
    resolved = hub.resolve(TAG)
    with resolved.body as body:
        assert b"".join(body.read()) == ONE
    assert resolved.origin == "stale"
    assert "a is down" in resolved.warning


def test_a_tag_flips_between_head_and_get_and_is_asked_for_once_more(hub_of: MakeHub) -> None:
    a = fake("a")
    old = put_manifest(a, "team/app", ONE, "latest")
    put_manifest(a, "team/app", TWO)
    # The old manifest is gone, and the tag's own answer is the new one by the time of the GET.
    a.remove(f"v2/team/app/manifests/{old}")
    flipped = f"v2/{TAG}"
    a.put(flipped, TWO, headers={"content-type": MANIFEST, "docker-content-digest": digest_of(TWO)})
    hub = hub_of(a)
    assert hub.pull(TAG).body == TWO


@pytest.mark.parametrize("quirk", [{"head": False}, {"named": False}], ids=["404", "no digest"])
def test_an_upstream_whose_head_does_not_tell_is_asked_with_get(
    hub_of: MakeHub, quirk: dict[str, bool]
) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest", **quirk)
    hub = hub_of(a)
    assert hub.pull(TAG).body == ONE
    assert hub.pull(by_digest(ONE)).origin == "hit"
    assert asked(a) == [f"HEAD {TAG}", f"GET {TAG}"]
    hub.clock.advance(DAY)
    assert hub.get(TAG).origin == "revalidated"


def test_an_upstream_that_takes_no_head_is_asked_with_get(hub_of: MakeHub) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest")
    hub = hub_of(a)
    a.fail(UpstreamError("a: 405 Method Not Allowed", upstream="a"), f"v2/{TAG}")
    with pytest.raises(UpstreamError, match="405"):
        hub.get(TAG)
    assert asked(a) == [f"HEAD {TAG}", f"GET {TAG}"]


def test_a_digest_header_that_lies_about_the_body_is_corrupt(hub_of: MakeHub) -> None:
    a = fake("a")
    headers = {"content-type": MANIFEST, "docker-content-digest": digest_of(TWO)}
    a.put(f"v2/{TAG}", ONE, headers=headers)
    a.put(f"v2/{by_digest(TWO)}", ONE, headers=headers)
    hub = hub_of(a)
    once = f"^whether {TAG} exists cannot be told: a sent bytes whose sha256"
    with pytest.raises(IntegrityError, match=once):
        hub.get(TAG)
    assert hub.blobs() == set()


def test_a_tag_is_answered_by_the_best_position_that_has_it(hub_of: MakeHub) -> None:
    a, b, c = fake("a"), fake("b"), fake("c")
    put_manifest(b, "team/app", ONE, "latest")
    put_manifest(c, "team/app", TWO, "latest")
    hub = hub_of(a, b, c)
    assert hub.pull(TAG).body == ONE
    assert not [each for each in asked(c) if each.startswith("GET")]


@pytest.mark.parametrize(
    "error",
    [
        down(),
        UpstreamThrottled("a: 429", upstream="a", retry_after=30),
        UpstreamRefused("a: 403", upstream="a"),
    ],
    ids=["down", "throttled", "refused"],
)
def test_a_broken_upstream_never_lets_a_lower_one_answer_a_tag(
    hub_of: MakeHub, error: UpstreamError
) -> None:
    a, b = fake("a"), fake("b")
    put_manifest(b, "team/app", ONE, "latest")
    a.fail(error)
    with pytest.raises(type(error)):
        hub_of(a, b).get(TAG)


def test_a_broken_upstream_does_not_keep_a_lower_one_from_giving_what_a_digest_fixes(
    hub_of: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    put_manifest(b, "team/app", ONE)
    a.fail(down())
    assert hub_of(a, b).get(by_digest(ONE)).body == ONE


def test_strangers_who_get_nothing_are_told_it_is_not_there_and_the_next_is_asked(
    hub_of: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    a.fail(UpstreamDenied("a: 401 Unauthorized", upstream="a"))
    put_manifest(b, "team/app", ONE, "latest")
    hub = hub_of(a, b)
    assert hub.pull(TAG).body == ONE
    with pytest.raises(NotFound, match="upstreams of all; a: 401 Unauthorized"):
        hub.get("team/other/manifests/latest")
    a.heal()
    put_manifest(a, "team/other", TWO, "latest")
    # A right may be given at any time: it is believed for a minute, not for the five of a 404.
    hub.clock.advance(60)
    assert hub.pull("team/other/manifests/latest").body == TWO


def test_a_login_that_does_not_reach_a_repository_stops_the_walk(hub_of: MakeHub) -> None:
    a = fake("a", username="u", password=Secret("p"))
    b = fake("b")
    a.fail(UpstreamDenied("a: 403 Forbidden", upstream="a"))
    put_manifest(b, "team/app", ONE, "latest")
    with pytest.raises(UpstreamDenied):
        hub_of(a, b).get(TAG)


def test_a_tag_the_upstream_lost_is_kept_or_dropped_as_the_upstream_says(
    hub_of: MakeHub,
) -> None:
    for on_missing in ("keep", "drop"):
        a = fake(f"a-{on_missing}", on_missing=on_missing)
        put_manifest(a, "team/app", ONE, "latest")
        hub = hub_of(a)
        hub.pull(TAG)
        a.remove(f"v2/{TAG}")
        hub.clock.advance(DAY)
        if on_missing == "keep":
            assert hub.get(TAG).body == ONE
        else:
            with pytest.raises(NotFound):
                hub.get(TAG)


def test_many_who_ask_for_a_tag_and_its_digest_at_once_cost_one_get(hub_of: MakeHub) -> None:
    a = fake("a")
    put_manifest(a, "team/app", ONE, "latest")
    hub = hub_of(a)
    answers = hub.together(25, TAG) + hub.together(25, by_digest(ONE))
    assert {getattr(answer, "body", answer) for answer in answers} == {ONE}
    assert sorted(asked(a)) == [f"GET {by_digest(ONE)}", f"HEAD {TAG}"]


def test_names_without_a_namespace_are_one_thing_under_both_spellings(hub_of: MakeHub) -> None:
    hub_like = fake("a", default_namespace="library")
    other = fake("b")
    put_manifest(hub_like, "library/alpine", ONE, "3")
    put_manifest(other, "alpine", TWO, "4")
    hub = hub_of(hub_like, other)
    assert hub.get("alpine/manifests/3").body == ONE
    hub.flush()
    assert hub.get("library/alpine/manifests/3").origin == "hit"
    assert hub.get("alpine/manifests/4").body == TWO
    assert hub.entry(hub_like, "alpine/manifests/3") is None
    assert hub.registry.purge("alpine/manifests/3") >= 1
    assert hub.entry(hub_like, "library/alpine/manifests/3") is None


def test_a_large_manifest_is_served_like_a_small_one(hub_of: MakeHub) -> None:
    a = fake("a")
    large = manifest("x" * 1_000_000)
    put_manifest(a, "team/app", large, "latest")
    hub = hub_of(a)
    assert hub.get(TAG).body == large
    hub.flush()
    assert hub.get(TAG).body == large
    assert asked(a) == [f"HEAD {TAG}", f"GET {by_digest(large)}"]


def test_what_cannot_be_asked_is_told_with_the_upstream(hub_of: MakeHub) -> None:
    a = fake("a")
    a.fail(down())
    with pytest.raises(UpstreamUnavailable, match="team/app/manifests/latest") as told:
        hub_of(a).get(TAG)
    assert told.value.upstream == "a"
