"""Merging what several upstreams say in ``maven-metadata.xml``.

The outcome is what a client would conclude that asked every upstream itself, except that
``latest`` and ``release`` are computed from the versions on show: the highest, and the highest
that is no snapshot. "Last deployed" has no meaning across repositories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from virtreg.errors import IntegrityError
from virtreg.formats.maven.metadata import Metadata, Plugin, Snapshot, SnapshotVersion, read
from virtreg.formats.maven.printing import write
from virtreg.formats.maven.versions import ordered, releases
from virtreg.model import Answered

_UPDATED = re.compile(r"[0-9]{14}")
_TIMESTAMP = re.compile(r"[0-9]{8}\.[0-9]{6}")
_T = TypeVar("_T")


def merge(path: str, documents: Sequence[tuple[str, bytes]]) -> tuple[bytes, list[str]]:
    """One document from the ``(upstream, bytes)`` at ``path``, best position first, and the
    upstreams left out: those whose document cannot be read or is about something else.

    A usable document that all agree on comes back byte for byte. Raises IntegrityError, with a
    reason for each, when none can be read.
    """
    usable: list[tuple[bytes, Metadata]] = []
    broken: list[Answered] = []
    left_out: list[str] = []
    subject = _Subject(path)
    for upstream, document in documents:
        try:
            metadata = read(document)
        except IntegrityError as error:
            broken.append(Answered(upstream, "corrupt", error.message))
            left_out.append(upstream)
            continue
        if subject.admits(metadata):
            usable.append((document, metadata))
        else:
            left_out.append(upstream)
    if not usable:
        reasons = "; ".join(f"{answer.upstream}: {answer.detail}" for answer in broken)
        raise IntegrityError(f"no upstream has a usable {path} ({reasons})", answers=broken)
    first = usable[0][0]
    if all(document == first for document, _ in usable):
        return first, left_out
    return write(_combine([metadata for _, metadata in usable])), left_out


class _Subject:
    """What the documents at one path are about: the first to state a coordinate decides."""

    def __init__(self, path: str) -> None:
        folders = path.split("/")[:-1]
        # Old tools left a version in the metadata of artifacts, where it means nothing.
        self._versioned = bool(folders) and folders[-1].endswith("SNAPSHOT")
        self._known: dict[str, str] = {}

    def admits(self, metadata: Metadata) -> bool:
        stated = {"groupId": metadata.group_id, "artifactId": metadata.artifact_id}
        if self._versioned:
            stated["version"] = metadata.version
        given = {name: text for name, text in stated.items() if text is not None}
        if any(self._known.get(name, text) != text for name, text in given.items()):
            return False
        self._known.update(given)
        return True


def _combine(members: Sequence[Metadata]) -> Metadata:
    versions = ordered(version for member in members for version in member.versions)
    latest = versions or ordered(_present(member.latest for member in members))
    release = versions or ordered(_present(member.release for member in members))
    return Metadata(
        model_version=_last(ordered(_present(member.model_version for member in members))),
        group_id=_first(member.group_id for member in members),
        artifact_id=_first(member.artifact_id for member in members),
        version=_first(member.version for member in members),
        latest=_last(latest),
        release=_last(releases(release)),
        versions=tuple(versions),
        last_updated=max(_dates(member.last_updated for member in members), default=None),
        snapshot=_newest_snapshot(_present(member.snapshot for member in members)),
        snapshot_versions=_newest_files(
            item for member in members for item in member.snapshot_versions
        ),
        plugins=_plugins(plugin for member in members for plugin in member.plugins),
    )


def _present(items: Iterable[_T | None]) -> list[_T]:
    return [item for item in items if item is not None]


def _first(texts: Iterable[str | None]) -> str | None:
    return next(iter(_present(texts)), None)


def _last(texts: Sequence[str]) -> str | None:
    return texts[-1] if texts else None


def _dates(texts: Iterable[str | None]) -> list[str]:
    return [text for text in _present(texts) if _UPDATED.fullmatch(text)]


def _newest_snapshot(snapshots: Sequence[Snapshot]) -> Snapshot | None:
    def age(snapshot: Snapshot) -> str:
        stamp = snapshot.timestamp or ""
        return stamp if _TIMESTAMP.fullmatch(stamp) else ""

    return max(snapshots, key=age, default=None)


def _newest_files(items: Iterable[SnapshotVersion]) -> tuple[SnapshotVersion, ...]:
    """Per file the newest; of equals, and in the order of, the best position."""
    newest: dict[tuple[str, str], SnapshotVersion] = {}
    for item in items:
        key = (item.classifier or "", item.extension or "")
        known = newest.get(key)
        if known is None or _age(item) > _age(known):
            newest[key] = item
    return tuple(newest.values())


def _age(item: SnapshotVersion) -> str:
    return max(_dates([item.updated]), default="")


def _plugins(plugins: Iterable[Plugin]) -> tuple[Plugin, ...]:
    """Per prefix the one of the best position, in the order met."""
    kept: dict[str, Plugin] = {}
    for plugin in plugins:
        kept.setdefault(plugin.prefix, plugin)
    return tuple(kept.values())
