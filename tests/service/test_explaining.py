"""What a registry says it would do, beside what it then does."""

from __future__ import annotations

import math

import pytest
from attrs import evolve

from tests.service.hub import DAY, FILE, HOUR, SMALL, Hub, MakeHub, down, fake
from virtreg.core.layout import blob_key
from virtreg.errors import InvalidRequest, UpstreamRefused
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Rule
from virtreg.service.explaining import Explanation
from virtreg.testing.fakes import FakeUpstream

METADATA = "org/example/a/maven-metadata.xml"
LIST = b"<metadata><versioning><versions><version>1</version></versions></versioning></metadata>"


def explain(hub: Hub, path: str = FILE) -> Explanation:
    """The explanation, for which nobody was asked and nothing was changed."""
    before = _seen(hub)
    explanation = hub.registry.explain(path)
    assert hub.registry.explain(path) == explanation
    assert _seen(hub) == before
    return explanation


def _seen(hub: Hub) -> object:
    sources = [upstream.spec.key for upstream in hub.upstreams]
    requests = [up.requests for up in hub.upstreams if isinstance(up, FakeUpstream)]
    return requests, [hub.index.page(source) for source in sources]


def who_is_asked(explanation: Explanation) -> list[str]:
    return [each.upstream for each in explanation.positions if each.asked]


def test_what_is_not_cached_would_be_asked_for_in_order(make_hub: MakeHub) -> None:
    explanation = explain(make_hub(fake("a"), fake("b")))
    assert (explanation.path, explanation.decision) == (FILE, "ask")
    assert explanation.sentence == "a, b would be asked"
    assert who_is_asked(explanation) == ["a", "b"]
    first = explanation.positions[0]
    assert (first.path, first.entry, first.fresh_until, first.negative_until) == (
        FILE,
        None,
        None,
        None,
    )


def test_a_checksum_is_explained_by_its_file(make_hub: MakeHub) -> None:
    assert explain(make_hub(fake("a")), f"{FILE}.sha1").path == FILE


def test_a_fresh_copy_is_served_and_nobody_asked(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, SMALL)
    hub = make_hub(a, b)
    hub.pull(FILE)
    explanation = explain(hub)
    assert explanation.decision == "serve"
    assert explanation.sentence == "the copy of b is served from the cache"
    assert who_is_asked(explanation) == []
    absent, held = explanation.positions
    assert absent.negative_until == hub.clock() + 300
    assert held.entry == hub.entry(b, FILE)
    assert held.fresh_until == hub.clock() + DAY


def test_a_stale_copy_is_asked_about(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    hub.clock.advance(2 * DAY)
    explanation = explain(hub)
    assert explanation.sentence == "a would be asked"
    assert explanation.positions[0].fresh_until == hub.clock() - DAY


def test_what_all_are_believed_not_to_have_is_absent(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"))
    assert len(hub.together(1, FILE)) == 1
    explanation = explain(hub)
    assert explanation.decision == "absent"
    assert who_is_asked(explanation) == []
    hub.clock.advance(HOUR)
    assert explain(hub).decision == "ask"


def test_the_rule_that_denies_is_told_with_the_copy_it_keeps_back(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    make_hub(a).pull(FILE)
    rule = Rule("deny", "group_id", "org.*", id=7)
    ruled = FakeUpstream(spec=evolve(a.spec, rules=(rule,)))
    alone = explain(make_hub(ruled))
    assert alone.decision == "barred"
    assert alone.sentence == "rules keep every upstream from answering"
    (position,) = alone.positions
    assert position.denied == "denied by rule 7: deny group_id wildcard org.*"
    assert position.entry is not None
    beside = explain(make_hub(ruled, fake("b")))
    assert beside.sentence == "b would be asked"
    assert who_is_asked(beside) == ["b"]


def test_an_upstream_that_is_left_alone_is_told(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    a.fail(down())
    hub.clock.advance(2 * DAY)
    for _ in range(5):
        hub.get(FILE)
    explanation = explain(hub)
    assert explanation.decision == "serve"
    assert explanation.sentence == "the copy of a is served stale: it is left alone now"
    assert explanation.positions[0].left_alone_until == hub.clock() + 5
    hub.clock.advance(-HOUR)
    assert explain(hub).positions[0].left_alone_until == hub.clock() + 5, "by the clock of now"
    other = explain(hub, "org/example/b/1/b-1.jar")
    assert other.decision == "broken"
    assert other.sentence == "a is left alone, nothing is cached"
    assert who_is_asked(other) == []


def test_offline_nobody_would_ever_be_asked(make_hub: MakeHub) -> None:
    explanation = explain(make_hub(fake("a"), offline=True))
    assert explanation.decision == "broken"
    assert explanation.positions[0].left_alone_until == math.inf


def test_a_quota_is_told_and_what_it_leaves(make_hub: MakeHub) -> None:
    a = fake("a")
    headers = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}
    a.put("v2/app/manifests/1", b"{}", headers=headers, head=False)
    hub = make_hub(a, format=ContainerFormat())
    hub.together(1, "app/manifests/1")
    spent = explain(hub, "app/manifests/2").positions[0]
    assert spent.quota is not None
    assert spent.quota.remaining == 0
    assert spent.left_alone_until == hub.clock() + 60
    assert explain(hub, "app/tags/list").positions[0].left_alone_until is None


def test_a_merged_document_is_explained_by_its_parts(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b", metadata_cache_validity_hours=48)
    denied = fake("c", rules=(Rule("deny", "group_id", "*"),))
    a.put(METADATA, LIST)
    b.put(METADATA, LIST)
    hub = make_hub(a, b, denied)
    explanation = explain(hub, METADATA)
    assert (explanation.decision, explanation.sentence) == (
        "merge",
        "a, b would be asked for a part",
    )
    hub.get(METADATA)
    hub.flush()
    explanation = explain(hub, METADATA)
    assert explanation.decision == "serve"
    assert explanation.sentence == "the merged document is served from the cache for 86400 s"
    hub.clock.advance(DAY)
    assert who_is_asked(explain(hub, METADATA)) == ["a"]
    only = make_hub(denied)
    assert explain(only, METADATA).decision == "barred"


def test_a_listing_is_made_of_what_is_cached(make_hub: MakeHub) -> None:
    explanation = explain(make_hub(fake("a"), format=ContainerFormat()), "_catalog")
    assert explanation.decision == "list"
    assert explanation.positions == ()


def test_what_is_no_path_is_refused_as_for_a_request(make_hub: MakeHub) -> None:
    with pytest.raises(InvalidRequest):
        make_hub(fake("a")).registry.explain("a//b")


@pytest.mark.parametrize("seed", range(27))
def test_what_is_said_is_what_is_done(make_hub: MakeHub, seed: int) -> None:
    """Over two upstreams that have, lack or refuse a file of which they may hold a copy."""
    upstreams = [fake("a"), fake("b", on_error="continue")]
    hub = make_hub(*upstreams)
    for upstream, state in zip(upstreams, divmod(seed, 5), strict=True):
        if state % 2:
            upstream.put(FILE, SMALL)
        if state % 3 == 2:
            upstream.fail(UpstreamRefused("403", upstream=upstream.spec.name))
    for _ in range(3):
        explanation = explain(hub)
        before = [upstream.count(FILE) for upstream in upstreams]
        outcome = hub.together(1, FILE)[0]
        hub.flush()
        asked = [
            upstream.spec.name
            for upstream, count in zip(upstreams, before, strict=True)
            if upstream.count(FILE) > count
        ]
        assert set(asked) <= set(who_is_asked(explanation))
        assert bool(asked) == (explanation.decision == "ask")
        if explanation.decision == "serve":
            assert not isinstance(outcome, Exception)
        hub.clock.advance(HOUR)


def test_a_copy_whose_bytes_are_gone_is_still_told_as_held(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    entry = hub.entry(a, FILE)
    assert entry is not None
    hub.store.delete(blob_key(entry.sha256))
    assert explain(hub).decision == "serve", "the index alone is looked at"


@pytest.mark.parametrize("path", [FILE, METADATA])
def test_without_upstreams_nobody_is_said_to_have_been_asked(make_hub: MakeHub, path: str) -> None:
    explanation = explain(make_hub(), path)
    assert (explanation.decision, explanation.positions) == ("absent", ())
    assert explanation.sentence == "the registry has no upstreams"
