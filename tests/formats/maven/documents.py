"""Metadata documents to test with, written down and generated."""

from __future__ import annotations

from hypothesis import strategies as st

from virtreg.formats.maven.metadata import Metadata, Plugin, Snapshot, SnapshotVersion
from virtreg.formats.maven.printing import write

ARTIFACT_PATH = "com/acme/app/maven-metadata.xml"
SNAPSHOT_PATH = "com/acme/app/1.0-SNAPSHOT/maven-metadata.xml"


def artifact(*versions: str, updated: str = "20240101000000") -> bytes:
    listed = "".join(f"<version>{version}</version>" for version in versions)
    return (
        "<metadata><groupId>com.acme</groupId><artifactId>app</artifactId><versioning>"
        f"<latest>0</latest><release>0</release><versions>{listed}</versions>"
        f"<lastUpdated>{updated}</lastUpdated></versioning></metadata>"
    ).encode()


def group(*plugins: tuple[str, str]) -> bytes:
    listed = "".join(
        f"<plugin><name>{name}</name><prefix>{prefix}</prefix><artifactId>{name}</artifactId>"
        "</plugin>"
        for prefix, name in plugins
    )
    return f"<metadata><plugins>{listed}</plugins></metadata>".encode()


def snapshot(timestamp: str, *files: tuple[str, str, str]) -> bytes:
    listed = "".join(
        "<snapshotVersion>"
        + (f"<classifier>{classifier}</classifier>" if classifier else "")
        + f"<extension>jar</extension><value>{value}</value><updated>{updated}</updated>"
        "</snapshotVersion>"
        for classifier, value, updated in files
    )
    return (
        '<metadata modelVersion="1.1.0"><groupId>com.acme</groupId><artifactId>app</artifactId>'
        f"<version>1.0-SNAPSHOT</version><versioning><snapshot><timestamp>{timestamp}</timestamp>"
        "<buildNumber>1</buildNumber></snapshot><lastUpdated>20240101000000</lastUpdated>"
        f"<snapshotVersions>{listed}</snapshotVersions></versioning></metadata>"
    ).encode()


texts = st.text(
    alphabet=st.one_of(
        st.sampled_from("a1.-<>&'\"\r\n\t é"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    ),
    max_size=8,
).map(lambda text: text.strip(" \t\r\n"))
values = texts.map(lambda text: text or None)
dates = st.one_of(values, st.integers(0, 3).map(lambda n: f"2024010100000{n}"))
stamps = st.one_of(values, st.integers(0, 3).map(lambda n: f"20240101.00000{n}"))
versions = st.one_of(
    texts.filter(bool), st.sampled_from(["1", "1.0", "1-alpha", "1.sp.1", "2-SNAPSHOT", "10"])
)
classifiers = st.sampled_from([None, "sources"])


def _mostly(names: list[str]) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *names])


metadata = st.builds(
    Metadata,
    model_version=st.sampled_from([None, "1.0.0", "1.1.0"]),
    group_id=_mostly(["com.acme", "com.acme", "other"]),
    artifact_id=_mostly(["app", "app", "other"]),
    version=_mostly(["1.0-SNAPSHOT", "1.0"]),
    latest=values,
    release=values,
    versions=st.lists(versions, max_size=4).map(tuple),
    last_updated=dates,
    snapshot=st.none() | st.builds(Snapshot, stamps.filter(bool), values, values),
    snapshot_versions=st.lists(
        st.builds(SnapshotVersion, classifiers, st.sampled_from(["jar", "pom"]), values, dates),
        max_size=4,
    ).map(tuple),
    plugins=st.lists(
        st.builds(Plugin, values, st.sampled_from(["clean", "site", "x"]), values), max_size=4
    ).map(tuple),
)
documents = metadata.map(write)
