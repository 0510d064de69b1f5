"""The version order against Maven's own class, over pairs chosen to be nasty."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from virtreg.formats.maven.versions import version_key

JAR_FOLDERS = (Path("/usr/share/maven/lib"), Path("/usr/share/java"))
MAIN = "org.apache.maven.artifact.versioning.ComparableVersion"
PAIRS = 24_000
PER_RUN = 6_000

# fmt: off
WORDS = (
    "alpha", "a", "beta", "b", "milestone", "m", "rc", "cr", "snapshot", "ga", "final",
    "release", "sp", "x", "foo", "abc", "jre", "android", "Alpha", "BETA", "RC", "Final",
    "SNAPSHOT", "GA", "_", "a_1", "v", "min", "max",
)
NUMBERS = (
    "0", "1", "2", "10", "00", "01", "007", "000000000", "0000000000", "999999999",
    "1000000000", "2147483648", "999999999999999999", "1000000000000000000",
    "0000000000000000000", "9223372036854775808", "123456789012345678901234567890", "20240131",
)
# fmt: on


def nasty(source: random.Random) -> str:
    parts = [source.choice(("1", "1", "1", "0", "2", "x"))]
    for _ in range(source.randrange(6)):
        parts.append(source.choice(("", ".", ".", "-", "-", "_", "..", "--", ".-")))
        parts.append(source.choice(source.choice((WORDS, NUMBERS, NUMBERS[:4]))))
    parts.append(source.choice(("", "", "", "", ".", "-", "_", ".0", "-ga")))
    return "".join(parts)


def neighbour(source: random.Random, text: str) -> str:
    """A version that shares much with another, so that corners decide and not the first digit."""
    at = source.randrange(1, len(text) + 1)
    piece = source.choice((".", "-", "_", "0", "1", "", "", *WORDS))
    return text[:at] + piece + text[at + source.randrange(2) :]


def maven_says(versions: list[str]) -> list[tuple[str, str, str]]:
    jars = [jar for folder in JAR_FOLDERS for jar in folder.glob("maven-artifact-3*.jar")]
    assert jars, f"maven-artifact is in none of {[str(folder) for folder in JAR_FOLDERS]}"
    run = subprocess.run(
        ["java", "-XX:+UseSerialGC", "-cp", str(jars[0]), MAIN, *versions],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    lines = [line.split() for line in run.stdout.splitlines() if line.startswith("   ")]
    return [(left, sign, right) for left, sign, right in lines]


@pytest.mark.e2e
def test_every_pair_compares_as_in_maven() -> None:
    source = random.Random(20240131)
    versions = [nasty(source)]
    while len(versions) <= PAIRS:
        versions.append(neighbour(source, versions[-1]) if source.random() < 0.6 else nasty(source))
    wrong = []
    compared = 0
    for start in range(0, PAIRS, PER_RUN):
        for left, sign, right in maven_says(versions[start : start + PER_RUN + 1]):
            a, b = version_key(left), version_key(right)
            ours = "<" if a < b else "==" if a == b else ">"
            compared += 1
            if ours != sign:
                wrong.append(f"{left} {sign} {right}, not {ours}")
    assert compared == PAIRS
    assert wrong == []
