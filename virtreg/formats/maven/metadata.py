"""``maven-metadata.xml`` as values (Maven repository metadata model, 1.0 and 1.1).

One document may describe a group (``plugins``), an artifact (``versions``), a snapshot version
(``snapshot``, ``snapshotVersions``), or more than one of these, since one folder can be both a
group and an artifact. What the model does not name is not kept.
"""

from __future__ import annotations

import re

from attrs import frozen

from virtreg.errors import IntegrityError
from virtreg.formats.maven.markup import Element, parse

MAX_TEXT = 1024
_MODEL_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}")


@frozen
class Plugin:
    """A plugin of a group, found by its prefix."""

    name: str | None
    prefix: str
    artifact_id: str | None


@frozen
class Snapshot:
    """The newest deployment of a snapshot version; ``timestamp`` is UTC, ``yyyyMMdd.HHmmss``."""

    timestamp: str | None
    build_number: str | None
    local_copy: str | None


@frozen
class SnapshotVersion:
    """The newest deployment of one file of a snapshot version; ``updated`` is UTC,
    ``yyyyMMddHHmmss``."""

    classifier: str | None
    extension: str | None
    value: str | None
    updated: str | None


@frozen
class Metadata:
    """A whole document. Every text is trimmed; blank is None."""

    model_version: str | None = None
    group_id: str | None = None
    artifact_id: str | None = None
    version: str | None = None
    latest: str | None = None
    release: str | None = None
    versions: tuple[str, ...] = ()
    last_updated: str | None = None
    snapshot: Snapshot | None = None
    snapshot_versions: tuple[SnapshotVersion, ...] = ()
    plugins: tuple[Plugin, ...] = ()


def read(document: bytes) -> Metadata:
    """The values of one document. Raises IntegrityError, with the reason, for what is none."""
    root = parse(document)
    if root.name != "metadata":
        raise IntegrityError(f"the root element is <{root.name[:80]}>, not <metadata>")
    _check_texts(root)
    versioning = Element("versioning")
    for part in root.all("versioning"):
        versioning.children += part.children
    model_version = root.attributes.get("modelVersion", "")
    return Metadata(
        model_version=model_version if _MODEL_VERSION.fullmatch(model_version) else None,
        group_id=root.value("groupId"),
        artifact_id=root.value("artifactId"),
        version=root.value("version"),
        latest=versioning.value("latest"),
        release=versioning.value("release"),
        versions=_versions(versioning),
        last_updated=versioning.value("lastUpdated"),
        snapshot=_snapshot(versioning),
        snapshot_versions=_snapshot_versions(versioning),
        plugins=_plugins(root),
    )


def _check_texts(element: Element) -> None:
    for child in element.children:
        if len(child.text.strip()) > MAX_TEXT:
            raise IntegrityError(f"<{child.name[:80]}> has more than {MAX_TEXT} characters")
        _check_texts(child)


def _inside(element: Element, outer: str, inner: str) -> list[Element]:
    return [item for group in element.all(outer) for item in group.all(inner)]


def _versions(versioning: Element) -> tuple[str, ...]:
    texts = (item.text.strip(" \t\r\n") for item in _inside(versioning, "versions", "version"))
    return tuple(text for text in texts if text)


def _snapshot(versioning: Element) -> Snapshot | None:
    for item in versioning.all("snapshot"):
        return Snapshot(item.value("timestamp"), item.value("buildNumber"), item.value("localCopy"))
    return None


def _snapshot_versions(versioning: Element) -> tuple[SnapshotVersion, ...]:
    return tuple(
        SnapshotVersion(
            item.value("classifier"),
            item.value("extension"),
            item.value("value"),
            item.value("updated"),
        )
        for item in _inside(versioning, "snapshotVersions", "snapshotVersion")
    )


def _plugins(root: Element) -> tuple[Plugin, ...]:
    return tuple(
        Plugin(item.value("name"), prefix, item.value("artifactId"))
        for item in _inside(root, "plugins", "plugin")
        if (prefix := item.value("prefix")) is not None
    )
