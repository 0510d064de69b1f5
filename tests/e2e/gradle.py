"""Real Gradle, without a daemon, from an empty user home."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_BUILD = """apply plugin: 'java'
repositories {{ maven {{ url '{url}/' }} }}
dependencies {{
{dependencies}
}}
task resolve {{
    doLast {{ configurations.compileClasspath.files.each {{ println "resolved ${{it.name}}" }} }}
}}
"""

_SOURCE = """class Words {
    String joined = com.google.common.base.Joiner.on(' ').join(new String[] {"a", "b"});
}
"""


def build(folder: Path, url: str, *coordinates: str) -> set[str]:
    """Resolve ``group:artifact:version`` coordinates (guava among them) from ``url`` and compile
    a class against them; the file names resolved."""
    source = folder / "src/main/java/Words.java"
    source.parent.mkdir(parents=True)
    source.write_text(_SOURCE)
    home = folder / "home"
    home.mkdir()
    listed = "\n".join(f"    compile '{coordinate}'" for coordinate in coordinates)
    (folder / "build.gradle").write_text(_BUILD.format(url=url, dependencies=listed))
    done = subprocess.run(
        ["gradle", "--no-daemon", "resolve", "compileJava"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GRADLE_USER_HOME": str(home),
            "JAVA_OPTS": f"-Duser.home={home}",
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    marked = [line for line in done.stdout.splitlines() if line.startswith("resolved ")]
    return {line.removeprefix("resolved ") for line in marked}
