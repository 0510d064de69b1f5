"""A Maven repository in a folder, as a web server would publish it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path

from attrs import frozen

from tests.e2e import metadata


@frozen
class Tree:
    """Every file has its ``.sha1`` and ``.md5`` beside it."""

    root: Path

    def put(self, path: str, content: bytes) -> None:
        """Write one file, replacing an older one."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        for algorithm in ("sha1", "md5"):
            digest = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
            target.with_name(f"{target.name}.{algorithm}").write_text(digest)

    def release(self, group: str, name: str, version: str, **files: bytes) -> None:
        """Publish one version; ``files`` maps extensions to contents."""
        folder = f"{group.replace('.', '/')}/{name}/{version}"
        for extension, content in files.items():
            self.put(f"{folder}/{name}-{version}.{extension}", content)

    def snapshot(
        self, group: str, name: str, base: str, timestamp: str, build: int, **files: bytes
    ) -> None:
        """Publish one build of ``base``-SNAPSHOT the way a deployment does."""
        folder = f"{group.replace('.', '/')}/{name}/{base}-SNAPSHOT"
        for extension, content in files.items():
            self.put(f"{folder}/{name}-{base}-{timestamp}-{build}.{extension}", content)
        document = metadata.snapshot(group, name, base, timestamp, build, files)
        self.put(f"{folder}/maven-metadata.xml", document)

    def index(self) -> None:
        """Write the metadata of every artifact and every plugin group found here."""
        versions: dict[tuple[Path, str], set[str]] = defaultdict(set)
        plugins: dict[Path, set[str]] = defaultdict(set)
        for pom in self.root.rglob("*.pom"):
            version, name, group = pom.parent, pom.parent.parent, pom.parent.parent.parent
            versions[group, name.name].add(version.name)
            if b"<packaging>maven-plugin</packaging>" in pom.read_bytes():
                plugins[group].add(name.name)
        for (group, artifact), found in versions.items():
            dotted = ".".join(group.relative_to(self.root).parts)
            path = (group / artifact / "maven-metadata.xml").relative_to(self.root)
            self.put(path.as_posix(), metadata.artifact(dotted, artifact, sorted(found)))
        for group, artifacts in plugins.items():
            path = (group / "maven-metadata.xml").relative_to(self.root)
            self.put(path.as_posix(), metadata.plugin_group(sorted(artifacts)))
