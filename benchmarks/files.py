"""The files that are asked for, published as a Maven repository in a folder."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from attrs import frozen

MB = 1_000_000

JAR = b"PK\x03\x04"
"""What a jar begins with; a registry that looks refuses others."""


@frozen
class Repository:
    """``big`` is the size in bytes of the big files."""

    root: Path
    big: int

    def small_path(self) -> str:
        return "com/example/bench/small/1.0/small-1.0.pom"

    def big_path(self) -> str:
        return "com/example/bench/big/1.0/big-1.0.jar"

    def cold_path(self, serial: int) -> str:
        """A big file that is asked for once; every serial has other bytes."""
        return f"com/example/bench/cold/{serial}/cold-{serial}.jar"

    def publish(self, cold: int) -> None:
        """Write everything, with ``cold`` files to be asked for once."""
        self._put(self.small_path(), small_pom())
        block = JAR + random.Random("bench").randbytes(self.big - len(JAR))
        self._put(self.big_path(), block)
        for serial in range(cold):
            self._put(self.cold_path(serial), JAR + serial.to_bytes(16, "big") + block[20:])

    def _put(self, path: str, content: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.with_name(f"{target.name}.sha1").write_text(hashlib.sha1(content).hexdigest())


def small_pom() -> bytes:
    """A POM of about 8 KB."""
    dependency = (
        "    <dependency>\n      <groupId>com.example.bench</groupId>\n"
        "      <artifactId>dependency-{0:03}</artifactId>\n      <version>1.{0}</version>\n"
        "    </dependency>\n"
    )
    listed = "".join(dependency.format(number) for number in range(54))
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0">\n'
        "  <modelVersion>4.0.0</modelVersion>\n  <groupId>com.example.bench</groupId>\n"
        "  <artifactId>small</artifactId>\n  <version>1.0</version>\n  <dependencies>\n"
        f"{listed}  </dependencies>\n</project>\n"
    ).encode()
