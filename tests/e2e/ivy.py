"""Real Ivy, from an empty cache."""

from __future__ import annotations

import os
from pathlib import Path

from tests.e2e.stored import run

_JAR = Path("/usr/share/java/ivy.jar")

_SETTINGS = """<ivysettings>
  {credentials}
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


_CREDENTIALS = """<credentials host="127.0.0.1" realm="{0}" username="{1}" passwd="{2}"/>"""


def retrieve(
    folder: Path,
    url: str,
    group: str,
    name: str,
    revision: str,
    *,
    login: tuple[str, str, str] | None = None,
) -> set[str]:
    """Resolve one dependency from ``url``; the file names that arrived. ``login`` is a realm, a
    user and a password; as sbt's, it is for the very realm that the server names. Raises
    PullFailed."""
    assert _JAR.is_file(), f"{_JAR} is missing: install what .ci/run installs"
    folder.mkdir()
    settings, module = folder / "ivysettings.xml", folder / "ivy.xml"
    credentials = _CREDENTIALS.format(*login) if login else ""
    settings.write_text(_SETTINGS.format(url=url, credentials=credentials))
    module.write_text(_MODULE.format(group=group, name=name, revision=revision))
    command = ["java", f"-Duser.home={folder}", f"-Divy.cache.dir={folder}/cache"]
    command += ["-jar", str(_JAR), "-settings", str(settings), "-ivy", str(module)]
    command += ["-retrieve", f"{folder}/lib/[artifact]-[revision].[ext]"]
    run(command, os.environ, 120)
    return {file.name for file in (folder / "lib").iterdir()}
