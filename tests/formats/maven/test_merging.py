"""What several upstreams say about one group, artifact or snapshot, as one document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.maven import documents
from tests.formats.maven.documents import ARTIFACT_PATH, SNAPSHOT_PATH, artifact, group, snapshot
from virtreg.errors import IntegrityError
from virtreg.formats.maven.merging import merge
from virtreg.formats.maven.metadata import Metadata, Plugin, Snapshot, read
from virtreg.formats.maven.printing import write

paths = st.sampled_from([ARTIFACT_PATH, SNAPSHOT_PATH, "maven-metadata.xml"])


def test_versions_are_united_in_order_and_the_highest_are_named() -> None:
    merged, left_out = merge(
        ARTIFACT_PATH,
        [
            ("releases", artifact("1.10", "1.9", updated="20240301000000")),
            ("snapshots", artifact("1.9", "2.0-SNAPSHOT", updated="20240201000000")),
        ],
    )
    document = read(merged)
    assert left_out == []
    assert document.versions == ("1.9", "1.10", "2.0-SNAPSHOT")
    assert (document.latest, document.release) == ("2.0-SNAPSHOT", "1.10")
    assert document.last_updated == "20240301000000"
    assert (document.group_id, document.artifact_id) == ("com.acme", "app")


def test_only_snapshots_make_no_release() -> None:
    merged, _ = merge(ARTIFACT_PATH, [("a", artifact("1-SNAPSHOT")), ("b", artifact("2-SNAPSHOT"))])
    assert read(merged).release is None


def test_without_a_version_list_the_stated_versions_are_compared() -> None:
    stated = (
        b"<metadata><versioning><latest>%s</latest><release>%s</release></versioning></metadata>"
    )
    merged, _ = merge(ARTIFACT_PATH, [("a", stated % (b"9", b"9")), ("b", stated % (b"10", b"8"))])
    document = read(merged)
    assert (document.latest, document.release, document.versions) == ("10", "9", ())


def test_a_plugin_prefix_belongs_to_the_first_upstream_that_has_it() -> None:
    merged, _ = merge(
        "com/acme/maven-metadata.xml",
        [("a", group(("zip", "ours"), ("site", "s"))), ("b", group(("zip", "theirs"), ("x", "x")))],
    )
    assert read(merged).plugins == (
        Plugin("ours", "zip", "ours"),
        Plugin("s", "site", "s"),
        Plugin("x", "x", "x"),
    )


def test_a_folder_that_is_group_and_artifact_keeps_both() -> None:
    merged, left_out = merge(ARTIFACT_PATH, [("a", group(("x", "x"))), ("b", artifact("1"))])
    document = read(merged)
    assert left_out == []
    assert document.versions == ("1",)
    assert document.plugins == (Plugin("x", "x", "x"),)


def test_the_newest_snapshot_and_the_newest_of_each_file_win() -> None:
    merged, _ = merge(
        SNAPSHOT_PATH,
        [
            (
                "a",
                snapshot(
                    "20240101.000000",
                    ("", "1.0-20240101.000000-1", "20240101000000"),
                    ("sources", "1.0-20240101.000000-1", "20240103000000"),
                ),
            ),
            (
                "b",
                snapshot(
                    "20240102.000000",
                    ("", "1.0-20240102.000000-1", "20240102000000"),
                    ("sources", "1.0-20240102.000000-1", "20240102000000"),
                    ("tests", "1.0-20240102.000000-1", "20240102000000"),
                ),
            ),
        ],
    )
    document = read(merged)
    assert document.model_version == "1.1.0"
    assert document.snapshot == Snapshot("20240102.000000", "1", None)
    assert [(item.classifier, item.value) for item in document.snapshot_versions] == [
        (None, "1.0-20240102.000000-1"),
        ("sources", "1.0-20240101.000000-1"),
        ("tests", "1.0-20240102.000000-1"),
    ]


def test_of_equally_new_files_the_better_position_wins() -> None:
    day = "20240101000000"
    merged, _ = merge(
        SNAPSHOT_PATH,
        [("a", snapshot("1", ("", "ours", day))), ("b", snapshot("2", ("", "theirs", day)))],
    )
    document = read(merged)
    assert [item.value for item in document.snapshot_versions] == ["ours"]
    assert document.snapshot == Snapshot("1", "1", None)


@pytest.mark.parametrize(
    "other",
    [
        artifact("9").replace(b"com.acme", b"org.evil"),
        artifact("9").replace(b">app<", b">other<"),
        b"<html>Please log in</html>",
        b"",
    ],
)
def test_a_document_about_something_else_is_left_out_by_name(other: bytes) -> None:
    ours = artifact("1")
    assert merge(ARTIFACT_PATH, [("a", ours), ("b", other)]) == (ours, ["b"])
    merged, left_out = merge(ARTIFACT_PATH, [("a", ours), ("b", other), ("c", artifact("2"))])
    assert read(merged).versions == ("1", "2")
    assert left_out == ["b"]


def test_a_version_decides_only_in_a_snapshot_folder() -> None:
    stale = artifact("2").replace(b"<versioning>", b"<version>2</version><versioning>")
    fresh = artifact("1").replace(b"<versioning>", b"<version>1</version><versioning>")
    assert merge(ARTIFACT_PATH, [("a", fresh), ("b", stale)])[1] == []
    assert merge(SNAPSHOT_PATH, [("a", fresh), ("b", stale)]) == (fresh, ["b"])


def test_when_nothing_is_usable_every_reason_is_given() -> None:
    with pytest.raises(IntegrityError) as caught:
        merge(ARTIFACT_PATH, [("a", b""), ("b", b"<html/>")])
    error = caught.value
    assert ARTIFACT_PATH in error.message
    assert "b: the root element is <html>" in error.message
    assert [(answer.upstream, answer.outcome) for answer in error.answers] == [
        ("a", "corrupt"),
        ("b", "corrupt"),
    ]


@given(paths, documents.documents, st.integers(1, 3))
def test_what_all_agree_on_comes_back_byte_for_byte(path: str, document: bytes, n: int) -> None:
    assert merge(path, [(f"u{i}", document) for i in range(n)]) == (document, [])


@given(paths, st.lists(documents.documents, min_size=1, max_size=4))
def test_merging_in_a_member_again_changes_nothing(path: str, members: list[bytes]) -> None:
    named = [(f"u{i}", document) for i, document in enumerate(members)]
    merged, left_out = merge(path, named)
    assert merge(path, named) == (merged, left_out)
    assert merge(path, [("again", merged), ("again2", merged)]) == (merged, [])
    kept = [document for name, document in named if name not in left_out]
    if len(set(kept)) > 1:
        assert merge(path, [("merged", merged), *((f"k{i}", d) for i, d in enumerate(kept))]) == (
            merged,
            [],
        )


@given(st.lists(st.lists(documents.versions, max_size=5), min_size=2, max_size=4))
def test_no_version_is_lost_and_positions_do_not_matter_to_the_list(lists: list[list[str]]) -> None:
    members = [("u", write(Metadata(versions=tuple(v)))) for v in lists]
    forward = read(merge(ARTIFACT_PATH, members)[0])
    backward = read(merge(ARTIFACT_PATH, members[::-1])[0])
    assert set(forward.versions) == {version for versions in lists for version in versions}
    if len({document for _, document in members}) > 1:
        assert forward == backward


@given(paths, st.lists(st.one_of(st.binary(), documents.documents), min_size=1, max_size=3))
def test_any_bytes_merge_or_are_corrupt(path: str, members: list[bytes]) -> None:
    try:
        merged, left_out = merge(path, [(f"u{i}", d) for i, d in enumerate(members)])
    except IntegrityError as error:
        assert len(error.answers) == len(members)  # noqa: PT017
        return
    read(merged)
    assert len(left_out) < len(members)
