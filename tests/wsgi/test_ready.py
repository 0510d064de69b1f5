from __future__ import annotations

import os

import pytest

from tests.wsgi.conftest import Sites
from tests.wsgi.sites import JAR, LARGE_BODY, METADATA, MIDDLE, MIDDLE_BODY, POM, SMALL_BODY, Site
from virtreg import ServerConfig
from virtreg.core.layout import blob_key

HOUR = 3600.0


@pytest.mark.parametrize("suffix", ["", ".sha1", ".sha512"])
def test_a_small_answer_is_repeated_from_memory(site: Site, suffix: str) -> None:
    site.fill(POM)
    before = site.get(POM + suffix)
    site.forget_stored(site.entry(POM))
    for _ in range(2):
        again = site.get(POM + suffix)
        assert (again.ours, again.body) == (before.ours, before.body)
        assert site.head(POM + suffix).ours == before.ours
    assert site.near.count(POM) == 1
    assert site.assembly.registries["solo"].purge(POM) == 0
    assert site.get(POM + suffix).origin == "miss"
    assert site.near.count(POM) == 2


def test_no_answer_is_repeated_that_was_made_before_the_clock_was_set_back(site: Site) -> None:
    site.make_ready(POM)
    absent = f"{POM}.asc"
    assert [site.get(absent).status for _ in range(2)] == [404, 404]
    site.near.put(POM, b"<project>replaced</project>")
    site.near.put(absent, b"signature")
    site.clock.advance(-48 * HOUR)
    assert site.get(POM).body == b"<project>replaced</project>"
    assert site.get(absent).body == b"signature"


def test_a_merged_answer_is_repeated_from_memory(site: Site) -> None:
    before = site.merge()
    for source in ("near", "far"):
        site.forget_stored(site.entry(METADATA, source))
    assert site.assembly.index.drop(site.assembly.registries["main"].spec.key) == 1
    again = site.get(METADATA, registry="main")
    assert (again.ours, again.body) == (before.ours, before.body)
    assert b"<version>1.0</version>" in again.body
    assert b"<version>1.1</version>" in again.body
    site.assembly.registries["main"].purge(METADATA)
    assert site.get(METADATA, registry="main").origin == "merged"


@pytest.mark.parametrize(("path", "body"), [(MIDDLE, MIDDLE_BODY), (JAR, LARGE_BODY)])
def test_a_larger_answer_is_repeated_from_the_store_alone(
    site: Site, path: str, body: bytes
) -> None:
    before = site.make_ready(path)
    entry = site.entry(path)
    assert site.assembly.index.drop(entry.source) == 1
    again = site.get(path)
    assert (again.ours, again.body) == (before.ours, body)
    assert site.near.count(path) == 1


@pytest.mark.parametrize(("path", "body"), [(MIDDLE, MIDDLE_BODY), (JAR, LARGE_BODY)])
def test_a_ready_answer_whose_blob_was_cut_short_is_asked_for_again(
    site: Site, path: str, body: bytes
) -> None:
    site.make_ready(path)
    os.truncate(site.data / blob_key(site.entry(path).sha256), len(body) // 2)
    answer = site.get(path)
    assert (answer.status, answer.origin, answer.body) == (200, "miss", body)
    assert site.near.count(path) == 2


@pytest.mark.parametrize(("path", "body"), [(MIDDLE, MIDDLE_BODY), (JAR, LARGE_BODY)])
def test_a_ready_answer_whose_blob_is_gone_is_asked_for_again(
    site: Site, path: str, body: bytes
) -> None:
    site.make_ready(path)
    site.forget_stored(site.entry(path))
    answer = site.get(path)
    assert (answer.status, answer.origin, answer.body) == (200, "miss", body)
    assert site.near.count(path) == 2


def test_purging_in_one_registry_is_felt_in_all_that_share_the_upstream(site: Site) -> None:
    site.make_ready(POM)
    assert site.get(POM, registry="main").origin == "hit"
    assert site.assembly.registries["solo"].purge(POM) == 1
    assert site.get(POM, registry="main").origin == "miss"


def test_an_answer_is_ready_until_its_validity_ends(site: Site) -> None:
    site.make_ready(POM)
    site.clock.advance(24 * HOUR - 1)
    assert site.get(POM).origin == "hit"
    assert site.near.count(POM) == 1
    site.clock.advance(1)
    assert site.get(POM).origin == "revalidated"
    assert site.near.count(POM) == 2
    assert site.get(POM).origin == "hit"
    assert site.near.count(POM) == 2


def test_what_is_never_checked_again_is_ready_for_ever(quick_sites: Sites) -> None:
    site = quick_sites(settings={"cache_validity_hours": 0})
    site.make_ready(POM)
    site.clock.advance(10 * 365 * 24 * HOUR)
    site.forget_stored(site.entry(POM))
    assert site.get(POM).body == SMALL_BODY


def test_replaced_content_replaces_what_is_ready(site: Site) -> None:
    before = site.make_ready(POM)
    checksum = site.get(f"{POM}.sha1").body
    site.near.put(POM, b"<project>changed</project>")
    assert site.get(POM).body == SMALL_BODY
    site.clock.advance(24 * HOUR)
    changed = site.get(POM)
    assert changed.body == b"<project>changed</project>"
    assert changed["ETag"] != before["ETag"]
    site.witness.await_filled(POM, times=2)
    again = site.get(POM)
    assert (again.origin, again.body) == ("hit", changed.body)
    assert again["ETag"] == changed["ETag"]
    assert site.get(f"{POM}.sha1").body != checksum


def test_a_stale_answer_is_repeated_for_ten_seconds(site: Site) -> None:
    site.make_ready(POM)
    site.clock.advance(24 * HOUR)
    site.near.put(POM, status=500)
    for _ in range(3):
        stale = site.get(POM)
        assert (stale.status, stale.origin, stale.body) == (200, "stale", SMALL_BODY)
    assert site.near.count(POM) == 2
    site.clock.advance(10)
    assert site.get(POM).origin == "stale"
    assert site.near.count(POM) == 3


def test_absence_is_repeated_until_its_validity_ends(site: Site) -> None:
    late = POM.replace("thing", "late")
    first = site.get(late)
    assert first.status == 404
    site.near.put(late, SMALL_BODY)
    site.clock.advance(299)
    for _ in range(2):
        # What is only remembered by upstream says so in its body.
        again = site.get(late)
        assert (again.status, again.ours, again.body) == (404, first.ours, first.body)
    assert site.near.count(late) == 1
    site.clock.advance(1)
    assert site.get(late).body == SMALL_BODY


def test_purging_forgets_absence(site: Site) -> None:
    late = POM.replace("thing", "late")
    assert site.get(late).status == 404
    site.near.put(late, SMALL_BODY)
    assert site.assembly.registries["solo"].purge(late) == 1
    assert site.get(late).body == SMALL_BODY


def test_absence_that_is_not_believed_is_not_repeated(quick_sites: Sites) -> None:
    site = quick_sites(settings={"negative_validity_seconds": 0})
    late = POM.replace("thing", "late")
    assert site.get(late).status == 404
    site.near.put(late, SMALL_BODY)
    assert site.get(late).body == SMALL_BODY


def test_without_memory_nothing_is_ready(quick_sites: Sites) -> None:
    site = quick_sites(server=ServerConfig(hot_bytes=0))
    site.make_ready(POM)
    site.forget_stored(site.entry(POM))
    assert site.get(POM).origin == "miss"
