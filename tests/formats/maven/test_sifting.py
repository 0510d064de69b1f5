from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.formats.maven import documents
from tests.formats.maven.documents import ARTIFACT_PATH, SNAPSHOT_PATH
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.formats.maven.metadata import Metadata, read
from virtreg.formats.maven.printing import write
from virtreg.formats.maven.versions import ordered
from virtreg.model import Coordinates

maven = MavenFormat()

Allowed = Callable[[Coordinates], bool]


def sift(document: bytes, allowed: Allowed, path: str = ARTIFACT_PATH) -> bytes | None:
    return maven.sift(maven.route(path), document, allowed)


def sifted(metadata: Metadata, allowed: Allowed, path: str = ARTIFACT_PATH) -> Metadata | None:
    document = sift(write(metadata), allowed, path)
    return None if document is None else read(document)


def but(*versions: str) -> Allowed:
    return lambda coordinates: coordinates.get("version") not in versions


def test_denied_versions_are_left_out_and_the_newest_told_anew() -> None:
    listed = Metadata(versions=("1", "2", "3-SNAPSHOT", "3"), latest="3", release="3")
    assert sifted(listed, but("3")) == Metadata(
        versions=("1", "2", "3-SNAPSHOT"), latest="3-SNAPSHOT", release="2"
    )


def test_a_newest_version_that_is_denied_and_not_listed_is_told_anew() -> None:
    listed = Metadata(versions=("1", "2"), latest="3", release="2")
    assert sifted(listed, but("3")) == Metadata(versions=("1", "2"), latest="2", release="2")


def test_what_was_not_told_is_not_told_anew() -> None:
    assert sifted(Metadata(versions=("1", "2")), but("2")) == Metadata(versions=("1",))


def test_a_document_that_loses_nothing_comes_back_byte_for_byte() -> None:
    document = b"<metadata>\n<!-- mine -->" + documents.artifact("1", "2")[len(b"<metadata>") :]
    assert sift(document, but("3")) == document


def test_nothing_is_left_of_a_document_whose_versions_are_all_denied() -> None:
    assert sift(documents.artifact("1", "2"), but("0", "1", "2")) is None


def test_versions_are_asked_for_by_the_coordinates_of_the_path() -> None:
    asked: list[Coordinates] = []

    def allowed(coordinates: Coordinates) -> bool:
        asked.append(coordinates)
        return True

    sift(write(Metadata(group_id="other", artifact_id="name", versions=("1",))), allowed)
    assert asked == [{"group_id": "com.acme", "artifact_id": "app", "version": "1"}]


def test_denied_plugins_are_left_out_of_the_prefixes_of_a_group() -> None:
    document = documents.group(("clean", "clean-plugin"), ("evil", "evil-plugin"))

    def allowed(coordinates: Coordinates) -> bool:
        return coordinates != {"group_id": "com.acme", "artifact_id": "evil-plugin"}

    left = sift(document, allowed, "com/acme/maven-metadata.xml")
    assert left is not None
    assert [plugin.prefix for plugin in read(left).plugins] == ["clean"]


def test_the_metadata_of_a_snapshot_stay_as_they_are() -> None:
    document = documents.snapshot("20240101.000000", ("", "1", "20240101000000"))
    assert sift(document, lambda _: False, SNAPSHOT_PATH) == document


@given(
    documents.metadata,
    st.sets(st.one_of(documents.versions, st.none())),
    st.sampled_from([ARTIFACT_PATH, "com/acme/maven-metadata.xml", "com/maven-metadata.xml"]),
)
def test_no_document_names_what_is_denied(
    metadata: Metadata, denied: set[str | None], path: str
) -> None:
    def allowed(coordinates: Coordinates) -> bool:
        return coordinates.get("version", coordinates["artifact_id"]) not in denied

    document = write(metadata)
    left = sift(document, allowed, path)
    if left is None:
        return
    told = read(left)
    assert sift(left, allowed, path) == left, "sifting is idempotent"
    assert all(plugin.artifact_id not in denied - {None} for plugin in told.plugins)
    assert [each for each in metadata.plugins if each in told.plugins] == list(told.plugins)
    if path.count("/") > 1:
        assert not {told.latest, told.release, told.version, *told.versions} & (denied - {None})
        assert list(told.versions) == [each for each in metadata.versions if each not in denied]
        if told.versions != metadata.versions:
            assert told.latest in (None, next(reversed(ordered(told.versions)), None))
