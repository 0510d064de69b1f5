"""What a path is about: groupId, artifactId and version ("Maven 2" repository layout)."""

from __future__ import annotations

from virtreg.formats.maven.paths import METADATA, PREFIXES
from virtreg.model import Coordinates, Route

TARGETS = frozenset({"group_id", "artifact_id", "version"})

_SNAPSHOT = "SNAPSHOT"


def coordinates(route: Route) -> tuple[Coordinates, ...]:
    """The coordinates of a file, from its last three folders, with fewer from all of them as a
    group's; none at the root, and for the list of prefixes.

    Metadata in the folder of a snapshot are about that version. Elsewhere their folder may be an
    artifact or a group, and they may be about both.
    """
    *folders, name = route.path.split("/")
    if not folders or route.path == PREFIXES:
        return ()
    group = {"group_id": ".".join(folders)}
    if _is_metadata(name) and not _is_snapshot(folders[-1]):
        return (group,) if len(folders) == 1 else (artifact(folders), group)
    if len(folders) < 3:
        return (group,)
    return ({**artifact(folders[:-1]), "version": folders[-1]},)


def artifact(folders: list[str]) -> Coordinates:
    """Of the artifact whose folder it is; two folders at least."""
    return {"group_id": ".".join(folders[:-1]), "artifact_id": folders[-1]}


def released(route: Route) -> bool:
    """Whether the path is a file of a version that is no snapshot."""
    return any(
        "version" in each and not _is_snapshot(each["version"]) for each in coordinates(route)
    )


def _is_metadata(name: str) -> bool:
    """Signatures of metadata as well."""
    return name == METADATA or name.startswith(f"{METADATA}.")


def _is_snapshot(version: str) -> bool:
    return version == _SNAPSHOT or version.endswith(f"-{_SNAPSHOT}")
