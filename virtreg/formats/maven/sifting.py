"""``maven-metadata.xml`` without the versions and plugins that rules deny."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from virtreg.errors import IntegrityError
from virtreg.formats.maven.coordinates import artifact, coordinates
from virtreg.formats.maven.metadata import Metadata, read
from virtreg.formats.maven.paths import METADATA
from virtreg.formats.maven.printing import write
from virtreg.formats.maven.versions import ordered, releases
from virtreg.model import Coordinates, Route

Allowed = Callable[[Coordinates], bool]


def sift(route: Route, document: bytes, allowed: Allowed) -> bytes | None:
    """The document without what is denied, ``latest`` and ``release`` told anew where they were;
    None when nothing is left of it. A snapshot's metadata name no other version and stay as they
    are, and so does what cannot be read."""
    *folders, name = route.path.split("/")
    if name != METADATA or any("version" in each for each in coordinates(route)):
        return document
    try:
        metadata = read(document)
    except IntegrityError:
        return document
    left = _plugins(_versions(metadata, folders, allowed), folders, allowed)
    if left == metadata:
        return document
    return write(left) if _tells(left) else None


def _versions(metadata: Metadata, folders: list[str], allowed: Allowed) -> Metadata:
    if len(folders) < 2:
        return metadata
    about = artifact(folders)

    def may(version: str | None) -> bool:
        return version is None or allowed({**about, "version": version})

    versions = tuple(version for version in metadata.versions if may(version))
    shown = ordered(versions)
    lost = len(versions) < len(metadata.versions)
    latest, release = metadata.latest, metadata.release
    if lost or not may(latest):
        latest = None if latest is None else next(reversed(shown), None)
    if lost or not may(release):
        release = None if release is None else next(reversed(releases(shown)), None)
    return evolve(
        metadata,
        version=metadata.version if may(metadata.version) else None,
        versions=versions,
        latest=latest,
        release=release,
        snapshot_versions=tuple(each for each in metadata.snapshot_versions if may(each.value)),
    )


def _plugins(metadata: Metadata, folders: list[str], allowed: Allowed) -> Metadata:
    group = ".".join(folders)
    plugins = tuple(
        plugin
        for plugin in metadata.plugins
        if plugin.artifact_id is None
        or allowed({"group_id": group, "artifact_id": plugin.artifact_id})
    )
    return evolve(metadata, plugins=plugins)


def _tells(metadata: Metadata) -> bool:
    """Whether it names anything that may be had."""
    named = (metadata.versions, metadata.plugins, metadata.snapshot_versions)
    return any(named) or metadata.latest is not None or metadata.release is not None
