"""Real Gradle, without a daemon, from an empty user home."""

from __future__ import annotations

import os
from pathlib import Path

from tests.e2e.stored import run

_BUILD = """apply plugin: 'java'
repositories {{ maven {{ url '{url}/'{credentials} }} }}
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


def build(
    folder: Path, url: str, *coordinates: str, login: tuple[str, str] | None = None
) -> set[str]:
    """Resolve ``group:artifact:version`` coordinates (guava among them) from ``url`` and compile
    a class against them; the file names resolved. Raises PullFailed."""
    source = folder / "src/main/java/Words.java"
    source.parent.mkdir(parents=True)
    source.write_text(_SOURCE)
    home = folder / "home"
    home.mkdir()
    listed = "\n".join(f"    compile '{coordinate}'" for coordinate in coordinates)
    (folder / "build.gradle").write_text(
        _BUILD.format(url=url, dependencies=listed, credentials=_credentials(login))
    )
    printed = run(
        ["gradle", "--no-daemon", "--project-dir", folder, "resolve", "compileJava"],
        {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GRADLE_USER_HOME": str(home),
            "JAVA_OPTS": f"-Duser.home={home}",
        },
        240,
    )
    marked = [line for line in printed.splitlines() if line.startswith("resolved ")]
    return {line.removeprefix("resolved ") for line in marked}


def _credentials(login: tuple[str, str] | None) -> str:
    if login is None:
        return ""
    return (
        f"; credentials {{ username '{login[0]}'; password '{login[1]}' }}"
        "; authentication { basic(BasicAuthentication) }"
    )
