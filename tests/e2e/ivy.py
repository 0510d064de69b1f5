"""Real Ivy, from an empty cache."""

from __future__ import annotations

import subprocess
from pathlib import Path

_JAR = Path("/usr/share/java/ivy.jar")

_SETTINGS = """<ivysettings>
  <settings defaultResolver="lab"/>
  <resolvers><ibiblio name="lab" m2compatible="true" root="{url}/"/></resolvers>
</ivysettings>
"""

_MODULE = """<ivy-module version="2.0">
  <info organisation="com.example" module="consumer"/>
  <configurations><conf name="default"/></configurations>
  <dependencies>
    <dependency org="{group}" name="{name}" rev="{revision}" conf="default->default"/>
  </dependencies>
</ivy-module>
"""


def retrieve(folder: Path, url: str, group: str, name: str, revision: str) -> set[str]:
    """Resolve one dependency from ``url``; the file names that arrived."""
    assert _JAR.is_file(), f"{_JAR} is missing: install what .ci/run installs"
    folder.mkdir()
    settings, module = folder / "ivysettings.xml", folder / "ivy.xml"
    settings.write_text(_SETTINGS.format(url=url))
    module.write_text(_MODULE.format(group=group, name=name, revision=revision))
    command = ["java", f"-Duser.home={folder}", f"-Divy.cache.dir={folder}/cache"]
    command += ["-jar", str(_JAR), "-settings", str(settings), "-ivy", str(module)]
    command += ["-retrieve", "lib/[artifact]-[revision].[ext]"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return {file.name for file in (folder / "lib").iterdir()}
