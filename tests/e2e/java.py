"""Small real jars: a class compiled once per session, and resources that tell versions apart."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

_EPOCH = (2025, 1, 2, 3, 4, 4)


def jar(entries: Mapping[str, bytes]) -> bytes:
    """A jar of these entries; the same entries give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {
            "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n",
            **entries,
        }.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def compiled(folder: Path, name: str, source: str, *classpath: Path) -> dict[str, bytes]:
    """Compile one class, given by its full name; the jar entries it makes."""
    path = folder / f"{name.replace('.', '/')}.java"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    command = ["javac", "--release", "8", "-Xlint:-options", "-proc:none", "-d", str(folder)]
    if classpath:
        command += ["-cp", ":".join(str(entry) for entry in classpath)]
    command.append(str(path))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {
        found.relative_to(folder).as_posix(): found.read_bytes()
        for found in folder.rglob("*.class")
    }


def pom(group: str, name: str, version: str, *, packaging: str = "jar", extra: str = "") -> bytes:
    """A POM; ``extra`` is XML put at its end."""
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0">\n'
        "  <modelVersion>4.0.0</modelVersion>\n"
        f"  <groupId>{group}</groupId>\n"
        f"  <artifactId>{name}</artifactId>\n"
        f"  <version>{version}</version>\n"
        f"  <packaging>{packaging}</packaging>\n"
        f"{extra}</project>\n"
    ).encode()
