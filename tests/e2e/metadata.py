"""``maven-metadata.xml`` in its three shapes: plugin group, artifact, snapshot version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

UPDATED = "20250102030405"


def plugin_group(artifacts: Iterable[str]) -> bytes:
    """The prefixes of a group, from the artifact ids of its plugins."""
    root = ET.Element("metadata")
    plugins = ET.SubElement(root, "plugins")
    for artifact in artifacts:
        plugin = ET.SubElement(plugins, "plugin")
        _text(plugin, "name", artifact)
        _text(plugin, "prefix", prefix_of(artifact))
        _text(plugin, "artifactId", artifact)
    return _document(root)


def artifact(group: str, name: str, versions: Sequence[str]) -> bytes:
    """All versions of one artifact, oldest first."""
    root = ET.Element("metadata")
    _text(root, "groupId", group)
    _text(root, "artifactId", name)
    versioning = ET.SubElement(root, "versioning")
    ordered = sorted(versions, key=_order)
    releases = [version for version in ordered if not version.endswith("-SNAPSHOT")]
    _text(versioning, "latest", ordered[-1])
    if releases:
        _text(versioning, "release", releases[-1])
    listed = ET.SubElement(versioning, "versions")
    for version in ordered:
        _text(listed, "version", version)
    _text(versioning, "lastUpdated", UPDATED)
    return _document(root)


def snapshot(
    group: str, name: str, base: str, timestamp: str, build: int, extensions: Iterable[str]
) -> bytes:
    """One deployed build of ``base``-SNAPSHOT; ``timestamp`` is ``yyyyMMdd.HHmmss``."""
    root = ET.Element("metadata", modelVersion="1.1.0")
    _text(root, "groupId", group)
    _text(root, "artifactId", name)
    _text(root, "version", f"{base}-SNAPSHOT")
    versioning = ET.SubElement(root, "versioning")
    newest = ET.SubElement(versioning, "snapshot")
    _text(newest, "timestamp", timestamp)
    _text(newest, "buildNumber", str(build))
    updated = timestamp.replace(".", "")
    _text(versioning, "lastUpdated", updated)
    listed = ET.SubElement(versioning, "snapshotVersions")
    for extension in extensions:
        one = ET.SubElement(listed, "snapshotVersion")
        _text(one, "extension", extension)
        _text(one, "value", f"{base}-{timestamp}-{build}")
        _text(one, "updated", updated)
    return _document(root)


def prefix_of(artifact: str) -> str:
    """The goal prefix Maven derives from a plugin's name."""
    return re.sub(r"-?maven-?|-?plugin-?", "", artifact)


def _order(version: str) -> list[tuple[int, int, str]]:
    pieces = re.findall(r"\d+|[a-zA-Z]+", version)
    return [(1, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in pieces]


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _document(root: ET.Element) -> bytes:
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document + b"\n"
