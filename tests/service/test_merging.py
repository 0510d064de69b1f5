"""Documents built from every upstream's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.service.hub import DAY, HOUR, Background, Hub, MakeHub, down, fake
from tests.service.lines import LinesFormat
from virtreg.core.layout import blob_key
from virtreg.errors import IntegrityError, NotFound, UpstreamUnavailable
from virtreg.events import Merged, ServedStale, UpstreamFailed
from virtreg.model import Answered
from virtreg.testing.gate import Gate

METADATA = "org/example/a/maven-metadata.xml"
PREFIXES = ".meta/prefixes.txt"


def document(*versions: str) -> bytes:
    listed = "".join(f"<version>{version}</version>" for version in versions)
    return (
        "<metadata><groupId>org.example</groupId><artifactId>a</artifactId>"
        f"<versioning><versions>{listed}</versions></versioning></metadata>"
    ).encode()


def versions(hub: Hub) -> list[str]:
    """The versions listed to a client."""
    return re.findall("<version>(.*?)</version>", hub.get(METADATA).body.decode())


def merged_at(hub: Hub) -> float:
    """When the merged document's members were last vouched for; fails when there is none."""
    (entry,) = hub.index.find(METADATA, [hub.registry.spec.key])
    return entry.checked_at


def warning(hub: Hub) -> str:
    """What a client is told besides."""
    resolved = hub.resolve(METADATA)
    with resolved.body:
        return resolved.warning


def test_every_upstreams_versions_are_listed(make_hub: MakeHub) -> None:
    a, b, c = fake("a"), fake("b"), fake("c")
    a.put(METADATA, document("1", "3"))
    c.put(METADATA, document("2"))
    hub = make_hub(a, b, c)
    assert versions(hub) == ["1", "2", "3"]
    assert hub.events.of(Merged) == [Merged("all", METADATA, 2, ())]


def test_a_merge_is_kept_and_served_without_asking(make_hub: MakeHub) -> None:
    a, b = fake("a", metadata_cache_validity_hours=2), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    cold = hub.get(METADATA)
    hub.flush()
    a.fail(down())
    hub.clock.advance(2 * HOUR - 1)
    warm = hub.get(METADATA)
    assert (cold.origin, warm.origin) == ("merged", "hit")
    assert warm.body == cold.body
    assert warm.expires_at == cold.expires_at == hub.clock() + 1
    assert warm.representation == cold.representation


def test_a_sole_document_passes_unchanged(make_hub: MakeHub) -> None:
    odd = b'<?xml version="1.0"?>\n<!-- mine -->' + document("1") + b"\r\n\r\n"
    a, b = fake("a"), fake("b")
    b.put(METADATA, odd)
    assert make_hub(a, b).get(METADATA).body == odd


def test_all_members_are_asked_at_once(make_hub: MakeHub) -> None:
    gate = Gate()
    upstreams = [fake(f"u{number}") for number in range(5)]
    for number, upstream in enumerate(upstreams):
        upstream.put(METADATA, document(str(number)), hold=gate)
    hub = make_hub(*upstreams)
    asking = Background(lambda: versions(hub))
    for _ in upstreams:
        gate.await_arrival()
    gate.release()
    assert asking.result() == ["0", "1", "2", "3", "4"]


def test_many_cold_clients_cost_one_merge(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    answers = hub.together(20, METADATA)
    assert len({answer.body for answer in answers if not isinstance(answer, Exception)}) == 1
    assert (a.count(METADATA), b.count(METADATA)) == (1, 1)


def test_a_document_nobody_has_is_absent_for_the_shortest_time(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a", negative_validity_seconds=50), fake("b"))
    with pytest.raises(NotFound) as caught:
        hub.get(METADATA)
    assert [answer.outcome for answer in caught.value.answers] == ["absent", "absent"]
    assert caught.value.expires_at == hub.clock() + 50


def test_members_that_did_not_change_are_asked_conditionally_and_not_merged_again(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    before = hub.get(METADATA)
    hub.flush()
    hub.clock.advance(DAY)
    again = hub.get(METADATA)
    assert again.body == before.body
    assert again.representation == before.representation
    assert [reply.status for reply in (*a.replies, *b.replies)] == [200, 304, 200, 304]
    assert len(hub.events.of(Merged)) == 1
    assert merged_at(hub) == hub.clock()
    assert hub.get(METADATA).origin == "hit"


def test_a_member_that_changed_is_merged_again(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    b.put(METADATA, document("2", "3"))
    assert versions(hub) == ["1", "2"]
    hub.clock.advance(DAY)
    assert versions(hub) == ["1", "2", "3"]
    hub.flush()
    assert hub.get(METADATA).origin == "hit"
    assert len(hub.events.of(Merged)) == 2


def test_a_member_that_appeared_or_went_is_merged_again(make_hub: MakeHub) -> None:
    a, b = fake("a", on_missing="drop"), fake("b")
    a.put(METADATA, document("1"))
    hub = make_hub(a, b)
    assert versions(hub) == ["1"]
    hub.flush()
    b.put(METADATA, document("2"))
    hub.clock.advance(DAY)
    assert versions(hub) == ["1", "2"]
    hub.flush()
    a.remove(METADATA)
    hub.clock.advance(DAY)
    assert versions(hub) == ["2"]


def test_an_unchanged_merge_whose_blob_vanished_is_built_again(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    (entry,) = hub.index.find(METADATA, [hub.registry.spec.key])
    hub.store.delete(blob_key(entry.sha256))
    assert versions(hub) == ["1", "2"]
    hub.flush()
    hub.store.delete(blob_key(entry.sha256))
    hub.clock.advance(DAY)
    assert versions(hub) == ["1", "2"]


@pytest.mark.parametrize("on_missing", ["keep", "drop"])
def test_a_member_whose_document_is_gone_keeps_or_drops_it_as_configured(
    make_hub: MakeHub, on_missing: str
) -> None:
    a, b = fake("a", on_missing=on_missing), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    a.remove(METADATA)
    hub.clock.advance(DAY)
    assert versions(hub) == (["1", "2"] if on_missing == "keep" else ["2"])


def test_a_broken_member_takes_part_with_its_last_good_document(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    a.fail(down())
    b.put(METADATA, document("3"))
    hub.clock.advance(DAY)
    got = hub.get(METADATA)
    assert got.origin == "stale"
    assert versions(hub) == ["1", "3"]
    assert got.expires_at < hub.clock() + 60
    assert UpstreamFailed("all", METADATA, Answered("a", "unavailable", "a is down")) in (
        hub.events.of(UpstreamFailed)
    )
    a.heal()
    assert hub.get(METADATA).origin == "merged"


def test_a_broken_member_without_a_document_makes_the_list_untellable(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.fail(down())
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    with pytest.raises(UpstreamUnavailable, match="cannot be told: a is down") as caught:
        hub.get(METADATA)
    assert [answer.outcome for answer in caught.value.answers] == ["unavailable", "found"]


def test_the_last_good_merge_is_served_when_a_member_is_broken_and_its_document_lost(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    before = hub.get(METADATA).body
    hub.flush()
    hub.index.drop(a.spec.key, METADATA)
    a.fail(down())
    hub.clock.advance(DAY)
    got = hub.get(METADATA)
    assert (got.origin, got.body) == ("stale", before)
    assert hub.events.of(ServedStale)[0].upstream == "a"


def test_a_broken_member_is_left_out_where_it_may_be_passed(make_hub: MakeHub) -> None:
    a, b = fake("a", on_error="continue"), fake("b")
    a.fail(down())
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    assert versions(hub) == ["2"]
    a.heal()
    a.put(METADATA, document("1"))
    assert versions(hub) == ["1", "2"]


def test_passing_the_only_member_does_not_make_the_document_absent(make_hub: MakeHub) -> None:
    a, b = fake("a", on_error="continue"), fake("b")
    a.fail(down())
    with pytest.raises(UpstreamUnavailable):
        make_hub(a, b).get(METADATA)


def test_a_document_that_cannot_be_read_is_a_broken_member(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, b"<html>Please sign in</html>")
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    with pytest.raises(IntegrityError) as caught:
        hub.get(METADATA)
    assert [answer.outcome for answer in caught.value.answers] == ["corrupt", "found"]
    assert hub.entry(a, METADATA) is None


def test_a_document_about_something_else_is_left_out_and_told(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2").replace(b"org.example", b"com.evil"))
    hub = make_hub(a, b)
    assert versions(hub) == ["1"]
    assert hub.events.of(Merged) == [Merged("all", METADATA, 2, ("b",))]


def test_a_list_that_must_be_complete_is_absent_while_a_member_has_none(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(PREFIXES, b"## repository-prefixes/2.0\n/org/example\n")
    hub = make_hub(a, b)
    with pytest.raises(NotFound):
        hub.get(PREFIXES)
    b.put(PREFIXES, b"## repository-prefixes/2.0\n/com/example\n")
    hub.clock.advance(301)
    assert hub.get(PREFIXES).body.count(b"example") == 2


def test_purging_a_merged_document_forgets_every_members_part(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    a.put(METADATA, document("2"))
    b.put(METADATA, document("3"))
    assert hub.registry.purge(METADATA) == 3
    assert versions(hub) == ["2", "3"]


def test_a_merge_that_cannot_be_kept_is_served_all_the_same(
    make_hub: MakeHub, tmp_path: Path
) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    (tmp_path / "store").mkdir(exist_ok=True)
    (tmp_path / "store" / "blobs").write_bytes(b"in the way")
    assert versions(hub) == ["1", "2"]
    hub.flush()
    assert versions(hub) == ["1", "2"]


def test_members_of_different_validity_do_not_make_every_request_a_merge(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a", metadata_cache_validity_hours=1), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    for hour in range(1, 26):
        hub.clock.advance(HOUR)
        hub.get(METADATA)
        hub.flush()
        assert hub.get(METADATA).origin == "hit"
        assert a.count(METADATA) == 1 + hour
    assert b.count(METADATA) == 2


def test_a_part_lies_under_the_path_by_which_its_upstream_knows_it(make_hub: MakeHub) -> None:
    a, b = fake("a", default_namespace="library"), fake("b")
    a.put("v9/library/x/list", b"1")
    b.put("v9/x/list", b"2")
    b.put("v9/library/x/list", b"3")
    hub = make_hub(a, b, format=LinesFormat())
    assert hub.get("x/list").body == b"1\n2"
    hub.flush()
    assert hub.entry(a, "library/x/list") is not None
    assert hub.entry(a, "x/list") is None
    assert hub.entry(b, "x/list") is not None
    assert hub.get("library/x/list").body == b"1\n3"
    hub.flush()
    assert a.count("v9/library/x/list") == 1
    assert (hub.get("x/list").body, hub.get("library/x/list").body) == (b"1\n2", b"1\n3")


def test_parts_under_other_paths_are_revalidated_kept_and_dropped_there(make_hub: MakeHub) -> None:
    a, b = fake("a", default_namespace="library", on_missing="drop"), fake("b")
    a.put("v9/library/x/list", b"1")
    b.put("v9/x/list", b"2")
    hub = make_hub(a, b, format=LinesFormat())
    hub.get("x/list")
    hub.flush()
    hub.clock.advance(300)
    assert hub.get("x/list").origin == "revalidated"
    a.fail(down())
    hub.clock.advance(300)
    assert hub.get("x/list").body == b"1\n2"
    a.heal()
    a.remove("v9/library/x/list")
    hub.clock.advance(300)
    assert hub.get("x/list").body == b"2"
    assert hub.entry(a, "library/x/list") is None
    asked = len(a.requests)
    b.put("v9/library/x/list", b"3")
    assert hub.get("library/x/list").body == b"3"
    assert len(a.requests) == asked


def test_a_reader_is_told_whose_part_is_old_or_missing(make_hub: MakeHub) -> None:
    a, b, c = fake("a"), fake("b", on_error="continue"), fake("c")
    a.put(METADATA, document("1"))
    c.put(METADATA, document("3"))
    b.fail(down("b"))
    hub = make_hub(a, b, c)
    assert warning(hub) == "stale: the part of b is missing: b is down"
    b.heal()
    assert warning(hub) == ""
    hub.flush()
    assert warning(hub) == ""
    hub.clock.advance(DAY)
    a.fail(down("a"))
    c.put(METADATA, document("4"))
    assert warning(hub) == "stale: the part of a is old: a is down"
    hub.index.drop(a.spec.key, METADATA)
    assert warning(hub) == (f"stale: whether {METADATA} exists cannot be told: a is down")


def test_absence_under_other_paths_ends_when_it_is_no_longer_believed(make_hub: MakeHub) -> None:
    upstreams = fake("a", default_namespace="library", negative_validity_seconds=50), fake("b")
    hub = make_hub(*upstreams, format=LinesFormat())
    with pytest.raises(NotFound) as caught:
        hub.get("x/list")
    assert caught.value.expires_at == hub.clock() + 50


@pytest.mark.parametrize(("hours", "seconds"), [(24, 300), (0.05, 180)])
def test_a_merged_listing_lives_as_its_shortest_member_and_five_minutes_at_most(
    make_hub: MakeHub, hours: float, seconds: float
) -> None:
    a, b = fake("a"), fake("b", metadata_cache_validity_hours=hours)
    a.put("v9/x/list", b"1")
    hub = make_hub(a, b, format=LinesFormat())
    assert hub.get("x/list").expires_at == hub.clock() + seconds
    hub.flush()
    a.put("v9/x/list", b"2")
    hub.clock.advance(seconds - 1)
    assert hub.get("x/list").body == b"1"
    hub.clock.advance(301 - seconds)
    assert hub.get("x/list").body == b"2"
