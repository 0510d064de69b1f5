"""Metadata values back to XML: UTF-8, two spaces per level, one trailing newline."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from virtreg.formats.maven.metadata import Metadata

_Tree = tuple[str, "str | list[_Tree] | None"]
"""A name with its text or what is inside; None and nothing inside are left out."""


def write(metadata: Metadata) -> bytes:
    """The document; ``read(write(metadata)) == metadata``."""
    root = "<metadata>"
    if metadata.model_version is not None:
        root = f'<metadata modelVersion="{metadata.model_version}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', root]
    for part in _parts(metadata):
        lines.extend(_lines(part, "  "))
    lines.append("</metadata>\n")
    return "\n".join(lines).encode()


def _lines(tree: _Tree, indent: str) -> Iterator[str]:
    name, content = tree
    if isinstance(content, str):
        # A bare carriage return would come back as a line feed (XML 1.0, 2.11).
        text = escape(content, quote=False).replace("\r", "&#13;")
        yield f"{indent}<{name}>{text}</{name}>"
        return
    inside = [line for part in content or () for line in _lines(part, indent + "  ")]
    if inside:
        yield f"{indent}<{name}>"
        yield from inside
        yield f"{indent}</{name}>"


def _parts(metadata: Metadata) -> list[_Tree]:
    return [
        ("groupId", metadata.group_id),
        ("artifactId", metadata.artifact_id),
        ("version", metadata.version),
        ("versioning", _versioning(metadata)),
        (
            "plugins",
            [
                (
                    "plugin",
                    [
                        ("name", plugin.name),
                        ("prefix", plugin.prefix),
                        ("artifactId", plugin.artifact_id),
                    ],
                )
                for plugin in metadata.plugins
            ],
        ),
    ]


def _versioning(metadata: Metadata) -> list[_Tree]:
    snapshot: list[_Tree] = []
    if metadata.snapshot is not None:
        snapshot = [
            ("timestamp", metadata.snapshot.timestamp),
            ("buildNumber", metadata.snapshot.build_number),
            ("localCopy", metadata.snapshot.local_copy),
        ]
    return [
        ("latest", metadata.latest),
        ("release", metadata.release),
        ("versions", [("version", version) for version in metadata.versions]),
        ("snapshot", snapshot),
        ("lastUpdated", metadata.last_updated),
        (
            "snapshotVersions",
            [
                (
                    "snapshotVersion",
                    [
                        ("classifier", item.classifier),
                        ("extension", item.extension),
                        ("value", item.value),
                        ("updated", item.updated),
                    ],
                )
                for item in metadata.snapshot_versions
            ],
        ),
    ]
