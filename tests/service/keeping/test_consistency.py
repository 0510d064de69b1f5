"""The index and the store are compared, and made to tell the same."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.keeping.bed import CENTRAL, HUB, Bed, MakeBed
from virtreg.core.layout import blob_key
from virtreg.service.consistency import Checked, Consistency, Finding
from virtreg.service.reclaiming import YOUNG
from virtreg.service.sweeping import AGE


def repaired(bed: Bed, *, deep: bool = False) -> list[bool]:
    consistency = Consistency(bed.index, bed.store, bed.clock)
    return [consistency.repair(each) for each in bed.findings(deep=deep)]


def test_a_sound_cache_has_no_findings(bed: Bed) -> None:
    for number in range(40):
        bed.keep(CENTRAL, f"{number}", b"%d" % number, used=True)
        bed.keep(HUB, f"{number}", b"%d" % number)
    bed.clock.advance(AGE + 1)
    assert bed.findings(deep=True) == []


def test_an_entry_without_its_blob_is_removed(bed: Bed) -> None:
    entry = bed.keep(CENTRAL, "p", b"bytes", used=True)
    also = bed.keep(HUB, "q", b"bytes")
    bed.store.delete(blob_key(entry.sha256))
    assert bed.findings() == [
        Finding("missing", CENTRAL.key, "p", entry.sha256, 5),
        Finding("missing", HUB.key, "q", also.sha256, 5),
    ]
    # The second went with the first.
    assert repaired(bed) == [True, False]
    assert bed.paths(CENTRAL) == bed.paths(HUB) == []
    assert bed.index.downloads(CENTRAL.key, "p") == (0, None)
    assert bed.findings() == []


def test_an_entry_that_is_wrong_about_its_blob_goes_without_it(bed: Bed) -> None:
    entry = bed.keep(CENTRAL, "p", b"bytes")
    bed.index.put([evolve(entry, path="wrong", size=7)])
    assert [(found.kind, found.path) for found in bed.findings()] == [("size", "wrong")]
    assert repaired(bed) == [True]
    assert bed.paths(CENTRAL) == ["p"]
    assert bed.findings(deep=True) == []


@pytest.mark.parametrize(("damage", "deep"), [(b"byte", False), (b"BYTES", True)])
def test_damaged_bytes_go_with_every_entry_that_refers_to_them(
    bed: Bed, damage: bytes, deep: bool
) -> None:
    entry = bed.keep(CENTRAL, "p", b"bytes")
    bed.keep(CENTRAL, "also", b"bytes")
    bed.store.put(blob_key(entry.sha256), damage)
    assert repaired(bed, deep=deep)[0]
    assert bed.paths(CENTRAL) == []
    assert bed.blobs() == set()


def test_bytes_of_the_right_number_are_read_only_when_asked_for(bed: Bed) -> None:
    entry = bed.keep(CENTRAL, "p", b"bytes")
    bed.store.put(blob_key(entry.sha256), b"BYTES")
    assert bed.findings() == []
    assert bed.findings(deep=True) == [Finding("damaged", CENTRAL.key, "p", entry.sha256, 5)]


def test_only_old_blobs_without_an_entry_are_told(bed: Bed) -> None:
    digest = hashlib.sha256(b"loose").hexdigest()
    bed.store.put(blob_key(digest), b"loose")
    bed.clock.advance(AGE)
    assert bed.findings(age=AGE) == []
    bed.clock.advance(1)
    assert bed.findings(age=AGE) == [Finding("unreferenced", sha256=digest, size=5)]
    assert repaired(bed) == [True]
    assert bed.blobs() == set()


def test_downloads_of_what_has_no_entry_are_forgotten(bed: Bed) -> None:
    bed.keep(CENTRAL, "p", b"bytes", used=True)
    bed.download(CENTRAL, "gone")
    assert bed.findings(age=60) == []
    assert bed.findings() == [Finding("uncached", CENTRAL.key, "gone")]
    assert repaired(bed) == [True]
    assert bed.findings() == []
    assert bed.index.downloads(CENTRAL.key, "p") == (1, bed.clock())


def test_what_is_good_by_now_is_not_repaired(bed: Bed) -> None:
    entry = bed.keep(CENTRAL, "p", b"bytes")
    bed.store.delete(blob_key(entry.sha256))
    loose = hashlib.sha256(b"loose").hexdigest()
    bed.store.put(blob_key(loose), b"loose")
    bed.download(CENTRAL, "q")
    bed.clock.advance(1)
    found = bed.findings()
    assert {each.kind for each in found} == {"missing", "unreferenced", "uncached"}
    bed.keep(CENTRAL, "p", b"bytes")
    bed.keep(CENTRAL, "q", b"loose")
    consistency = Consistency(bed.index, bed.store, bed.clock)
    assert [consistency.repair(each) for each in found] == [False, False, False]
    assert bed.paths(CENTRAL) == ["p", "q"]
    assert bed.findings(deep=True) == []


def test_a_blob_that_was_put_again_is_left_to_who_is_about_to_refer_to_it(bed: Bed) -> None:
    key = blob_key(hashlib.sha256(b"loose").hexdigest())
    bed.store.put(key, b"loose")
    bed.clock.advance(AGE + 1)
    (found,) = bed.findings(age=AGE)
    bed.store.put(key, b"loose")
    consistency = Consistency(bed.index, bed.store, bed.clock)
    assert not consistency.repair(found)
    bed.clock.advance(YOUNG + 1)
    assert consistency.repair(found)
    assert bed.blobs() == set()


def test_damage_that_is_mended_by_now_is_not_repaired(bed: Bed) -> None:
    entry = bed.keep(CENTRAL, "p", b"bytes")
    key = blob_key(entry.sha256)
    bed.store.put(key, b"BYTES")
    (found,) = bed.findings(deep=True)
    bed.store.put(key, b"bytes")
    assert not Consistency(bed.index, bed.store, bed.clock).repair(found)
    assert bed.index.find("p", [CENTRAL.key]) == [entry]
    assert bed.findings(deep=True) == []


def test_progress_tells_how_far_it_is(bed: Bed) -> None:
    for number in range(300):
        bed.keep(CENTRAL, f"{number}", b"%d" % number)
    seen: list[Checked] = []
    consistency = Consistency(bed.index, bed.store, bed.clock)
    assert list(consistency.check(progress=seen.append)) == []
    assert [each.parts for each in seen] == list(range(1, 258))
    assert seen[-1] == Checked(300, 300, 257)


@pytest.mark.parametrize("kind", ["missing", "size", "damaged", "unreferenced", "uncached"])
def test_a_finding_reads_as_a_line(kind: Any) -> None:
    finding = Finding(kind, "source", "a/path", "f" * 64, 3)
    assert "a/path" in str(finding)
    assert "\n" not in str(finding)


BODIES = [b"a", b"bb", b"ccc", b"dddd"]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.dictionaries(st.integers(0, 7), st.sampled_from(BODIES), max_size=6),
    stored=st.dictionaries(st.sampled_from(BODIES), st.sampled_from([b"a", b"zz", b"ccc"])),
    counted=st.sets(st.integers(0, 9)),
)
def test_after_a_repair_nothing_is_found_and_what_was_sound_is_there(
    shared: Bed, rows: dict[int, bytes], stored: dict[bytes, bytes], counted: set[int]
) -> None:
    for key, _, _ in list(shared.store.list()):
        shared.store.delete(key)
    shared.index.drop(CENTRAL.key)
    for number, body in rows.items():
        shared.keep(CENTRAL, f"{number}", body)
    for body in BODIES:
        key = blob_key(hashlib.sha256(body).hexdigest())
        if body in stored:
            shared.store.put(key, stored[body])
        else:
            shared.store.delete(key)
    for number in counted:
        shared.download(CENTRAL, f"{number}")
    shared.clock.advance(YOUNG + 1)
    repaired(shared, deep=True)
    assert shared.findings(deep=True) == []
    sound = {f"{number}" for number, body in rows.items() if stored.get(body) == body}
    assert set(shared.paths(CENTRAL)) == sound


@pytest.fixture
def shared(make_bed: MakeBed) -> Bed:
    return make_bed()


def test_a_folder_is_checked_as_well(make_bed: MakeBed) -> None:
    bed = make_bed(on_disk=True)
    entry = bed.keep(CENTRAL, "p", b"bytes")
    Path(bed.folder / blob_key(entry.sha256)).write_bytes(b"byte")
    bed.keep(CENTRAL, "q", b"other")
    assert [found.kind for found in bed.findings()] == ["size"]
    assert repaired(bed) == [True]
    assert bed.paths(CENTRAL) == ["q"]
