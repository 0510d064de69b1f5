"""A registry as another's upstream: what it has is served and not kept again."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.service.hub import FILE, LARGE, SMALL, down, fake
from tests.service.local.nest import Nest, to
from virtreg.errors import Barred, NotFound, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from virtreg.model import Algorithm, Ownership, Rule
from virtreg.testing.gate import Gate

METADATA = "org/example/a/maven-metadata.xml"


def document(*versions: str) -> bytes:
    listed = "".join(f"<version>{version}</version>" for version in versions)
    return (
        "<metadata><groupId>org.example</groupId><artifactId>a</artifactId>"
        f"<versioning><versions>{listed}</versions></versioning></metadata>"
    ).encode()


def versions(content: bytes) -> list[str]:
    return re.findall("<version>(.*?)</version>", content.decode())


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_what_it_brings_is_kept_once_and_by_itself(nest: Nest, content: bytes) -> None:
    a = fake("a")
    a.put(FILE, content)
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    assert nest.pull("outer", FILE) == content
    assert nest.kept(FILE) == ["a"]
    assert len(nest.blobs()) == 1
    assert nest.get("outer", FILE) == content
    assert a.count(FILE) == 1


def test_facts_ranges_and_checksums_are_those_of_the_file(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    nest.pull("outer", FILE)
    resolved = nest.resolve("outer", FILE)
    resolved.body.close()
    assert resolved.representation.size == len(LARGE)
    digests = resolved.representation.digests
    assert digests[Algorithm.SHA256] == hashlib.sha256(LARGE).hexdigest()
    assert nest.get("outer", FILE, 1000, 300_000) == LARGE[1000:300_000]
    assert nest.get("outer", f"{FILE}.sha1") == hashlib.sha1(LARGE).hexdigest().encode()


def test_an_answer_is_never_to_be_repeated_unasked(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    nest.pull("outer", FILE)
    resolved = nest.resolve("outer", FILE)
    resolved.body.close()
    assert (resolved.origin, resolved.expires_at) == ("hit", 0)


def test_downloads_count_for_the_entry_that_there_is(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    resolved = nest.resolve("outer", FILE)
    resolved.body.close()
    assert resolved.source == a.spec.key


def test_a_purge_of_the_inner_registry_is_one_of_the_outer(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    inner = nest.add("inner", a)
    nest.add("outer", to("inner"))
    nest.pull("outer", FILE)
    a.put(FILE, b"new")
    assert inner.purge(FILE) == 1
    assert nest.pull("outer", FILE) == b"new"


def test_absence_stays_absence_and_others_are_asked(nest: Nest) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner"), b)
    assert nest.get("outer", FILE) == SMALL


def test_absence_is_never_remembered_of_it(nest: Nest) -> None:
    a = fake("a", negative_validity_seconds=0)
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    with pytest.raises(NotFound) as caught:
        nest.get("outer", FILE)
    assert caught.value.expires_at == 0
    a.put(FILE, SMALL)
    assert nest.get("outer", FILE) == SMALL


def test_brokenness_stays_brokenness_and_is_told_as_that_upstreams(nest: Nest) -> None:
    a, b = fake("secret-name"), fake("b")
    a.fail(UpstreamTimeout("secret-name was silent", upstream="secret-name"))
    b.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner"), b)
    with pytest.raises(UpstreamTimeout) as caught:
        nest.get("outer", FILE)
    assert caught.value.upstream == "to-inner"
    assert "secret-name" not in caught.value.message
    assert caught.value.answers[0].outcome == "timeout"


def test_one_that_may_be_passed_while_it_is_broken_is_passed(nest: Nest) -> None:
    a, b = fake("a"), fake("b")
    a.fail(down())
    b.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner", on_error="continue"), b)
    assert nest.get("outer", FILE) == SMALL


def test_its_failures_do_not_keep_it_from_answering_what_it_has(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    nest.pull("outer", FILE)
    a.fail(down())
    for number in range(30):
        with pytest.raises(UpstreamError):
            nest.get("outer", f"org/example/a/1.0/a-1.0-{number}.bin")
    assert nest.get("outer", FILE) == SMALL


def test_what_its_rules_deny_is_not_there(nest: Nest) -> None:
    a, b = fake("a", rules=(Rule("deny", "group_id", "org.example"),)), fake("b")
    a.put(FILE, b"denied")
    b.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner"), b)
    assert nest.get("outer", FILE) == SMALL
    assert a.requests == []


def test_rules_apply_to_it_as_to_any_upstream(nest: Nest) -> None:
    a, b = fake("a"), fake("b")
    a.put(FILE, b"denied")
    b.put(FILE, SMALL)
    nest.add("inner", a)
    denied = to("inner", rules=(Rule("deny", "group_id", "org.example"),))
    nest.add("outer", denied, b)
    assert nest.get("outer", FILE) == SMALL
    nest.add("owned", to("inner"), b, ownerships=(Ownership("group_id", "org.*", ("b",)),))
    assert nest.get("owned", FILE) == SMALL
    assert a.requests == []


def test_a_release_too_young_is_not_taken_from_it(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    nest.add("inner", a)
    nest.add("outer", to("inner", minimum_release_age_hours=24))
    with pytest.raises(Barred, match="minimum release age"):
        nest.get("outer", FILE)


def test_it_is_asked_offline_for_what_it_has(nest: Nest) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    nest.add("inner", a)
    nest.pull("inner", FILE)
    nest.add("inner", a, offline=True)
    nest.add("outer", to("inner"), offline=True)
    assert nest.get("outer", FILE) == SMALL


def test_changes_of_it_are_followed(nest: Nest) -> None:
    a, b = fake("a"), fake("b")
    a.put(FILE, b"of a")
    b.put(FILE, b"of b")
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    assert nest.get("outer", FILE) == b"of a"
    nest.add("inner", b)
    assert nest.get("outer", FILE) == b"of b"


def test_one_that_is_gone_or_switched_off_is_broken_and_not_absent(nest: Nest) -> None:
    a, b = fake("a"), fake("b")
    a.put(FILE, b"of a")
    b.put(FILE, b"of b")
    nest.add("inner", a, group="other")
    nest.add("outer", to("inner"), b)
    nest.off.add("other")
    with pytest.raises(UpstreamUnavailable, match="'inner' is switched off"):
        nest.get("outer", FILE)
    nest.off.clear()
    assert nest.get("outer", FILE) == b"of a"
    nest.remove("inner")
    with pytest.raises(UpstreamUnavailable, match="'inner' is not there"):
        nest.get("outer", FILE)


def test_a_copy_of_another_upstream_is_found_before_it_is_asked_unless_strictly(
    nest: Nest,
) -> None:
    a, b = fake("a", negative_validity_seconds=0), fake("b")
    b.put(FILE, b"of b")
    nest.add("inner", a)
    nest.add("outer", to("inner"), b)
    nest.pull("outer", FILE)
    a.put(FILE, b"of a")
    assert nest.get("outer", FILE) == b"of b"
    nest.add("outer", to("inner"), b, order="strict")
    assert nest.get("outer", FILE) == b"of a"


def test_its_versions_are_part_of_what_is_merged(nest: Nest) -> None:
    a, b, c = fake("a"), fake("b"), fake("c")
    for number, upstream in enumerate((a, b, c), 1):
        upstream.put(METADATA, document(str(number)))
    nest.add("inner", a, b)
    nest.add("outer", to("inner"), c)
    assert versions(nest.get("outer", METADATA)) == ["1", "2", "3"]


def test_its_part_is_asked_for_each_time_and_not_kept(nest: Nest) -> None:
    a, c = fake("a"), fake("c")
    a.put(METADATA, document("1"))
    c.put(METADATA, document("3"))
    inner = nest.add("inner", a)
    nest.add("outer", to("inner"), c)
    assert versions(nest.get("outer", METADATA)) == ["1", "3"]
    a.put(METADATA, document("1", "2"))
    assert versions(nest.get("outer", METADATA)) == ["1", "3"]
    nest.flush()
    inner.purge(METADATA)
    assert versions(nest.get("outer", METADATA)) == ["1", "2", "3"]
    assert c.count(METADATA) == 1
    assert "to-inner" not in nest.kept(METADATA)


def test_an_unchanged_merge_keeps_its_date_and_is_not_written_again(nest: Nest) -> None:
    a, c = fake("a"), fake("c")
    a.put(METADATA, document("1"))
    c.put(METADATA, document("3"))
    nest.add("inner", a)
    outer = nest.add("outer", to("inner"), c)
    first = nest.resolve("outer", METADATA)
    first.body.close()
    nest.flush()
    nest.clock.advance(60)
    second = nest.resolve("outer", METADATA)
    second.body.close()
    assert (second.origin, second.expires_at) == ("revalidated", 0)
    assert second.representation == first.representation
    (entry,) = nest.index.find(METADATA, [outer.spec.key])
    assert entry.checked_at == nest.clock() - 60


def test_its_warning_reaches_readers_of_what_is_merged(nest: Nest) -> None:
    a, b, c = fake("a"), fake("b", on_error="continue"), fake("c")
    a.put(METADATA, document("1"))
    b.fail(down("b"))
    c.put(METADATA, document("3"))
    nest.add("inner", a, b)
    nest.add("outer", to("inner"), c)
    resolved = nest.resolve("outer", METADATA)
    with resolved.body as body:
        assert versions(b"".join(body.read())) == ["1", "3"]
    assert "the part of to-inner is old" in resolved.warning


def test_a_part_that_cannot_be_told_is_no_empty_part(nest: Nest) -> None:
    a, c = fake("a"), fake("c")
    a.fail(down())
    c.put(METADATA, document("3"))
    nest.add("inner", a)
    nest.add("outer", to("inner"), c)
    with pytest.raises(UpstreamUnavailable):
        nest.get("outer", METADATA)


def test_readers_together_cost_its_upstream_one_download(nest: Nest) -> None:
    a, gate = fake("a"), Gate()
    a.put(FILE, LARGE, hold=gate)
    nest.add("inner", a)
    nest.add("outer", to("inner"))
    with ThreadPoolExecutor(12) as threads:
        reading = [threads.submit(nest.get, "outer", FILE) for _ in range(12)]
        gate.await_arrival()
        gate.release()
        assert all(each.result(20) == LARGE for each in reading)
    assert a.count(FILE) == 1


def test_what_it_would_do_can_be_explained(nest: Nest) -> None:
    nest.add("inner", fake("a"))
    outer = nest.add("outer", to("inner"))
    told = outer.explain(FILE)
    assert (told.decision, told.positions[0].asked) == ("ask", True)
    assert outer.explain(METADATA).decision == "merge"
