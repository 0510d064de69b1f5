from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.formats.maven.adapter import MavenFormat
from virtreg.model import Coordinates

maven = MavenFormat()

VERSION = {"group_id": "com.acme", "artifact_id": "lib", "version": "1.0"}
SNAPSHOT = {**VERSION, "version": "1.0-SNAPSHOT"}
ARTIFACT = {"group_id": "com.acme", "artifact_id": "lib"}
AS_GROUP = {"group_id": "com.acme.lib"}


def about(path: str) -> tuple[Coordinates, ...]:
    return maven.coordinates(maven.route(path))


@pytest.mark.parametrize(
    ("path", "readings"),
    [
        ("com/acme/lib/1.0/lib-1.0.jar", (VERSION,)),
        ("com/acme/lib/1.0/lib-1.0.jar.sha1", (VERSION,)),
        ("com/acme/lib/1.0/lib-1.0.jar.asc", (VERSION,)),
        ("com/acme/lib/1.0-SNAPSHOT/lib-1.0-20240131.120000-7.pom", (SNAPSHOT,)),
        ("com/acme/lib/1.0-SNAPSHOT/maven-metadata.xml", (SNAPSHOT,)),
        ("com/acme/lib/maven-metadata.xml", (ARTIFACT, AS_GROUP)),
        ("com/acme/lib/maven-metadata.xml.sha256", (ARTIFACT, AS_GROUP)),
        ("com/acme/lib/maven-metadata.xml.asc", (ARTIFACT, AS_GROUP)),
        ("com/maven-metadata.xml", ({"group_id": "com"},)),
        ("maven-metadata.xml", ()),
        ("com/acme/readme.txt", ({"group_id": "com.acme"},)),
        ("archetype-catalog.xml", ()),
        (".meta/prefixes.txt", ()),
    ],
)
def test_a_path_is_about_what_its_folders_say(path: str, readings: tuple[Coordinates, ...]) -> None:
    assert about(path) == readings


@pytest.mark.parametrize(
    ("path", "released"),
    [
        ("com/acme/lib/1.0/lib-1.0.jar", True),
        ("com/acme/lib/1.0/lib-1.0.jar.asc", True),
        ("com/acme/lib/1.0-SNAPSHOT/lib-1.0-20240131.120000-7.pom", False),
        ("com/acme/lib/1.0-SNAPSHOT/maven-metadata.xml", False),
        ("com/acme/lib/maven-metadata.xml", False),
        ("archetype-catalog.xml", False),
    ],
)
def test_releases_are_the_files_of_versions_that_are_no_snapshots(
    path: str, released: bool
) -> None:
    assert maven.released(maven.route(path)) is released


folders = st.lists(st.text("ab1.-", min_size=1, max_size=4), min_size=3, max_size=5).filter(
    lambda parts: not {".", ".."} & set(parts)
)


@given(folders)
def test_the_coordinates_give_the_folder_back(parts: list[str]) -> None:
    (only,) = about("/".join([*parts, "file.jar"]))
    group = "/".join(parts[:-2])
    assert only["group_id"] == group.replace("/", ".")
    assert [only["artifact_id"], only["version"]] == parts[-2:]
