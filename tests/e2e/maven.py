"""Real mvn with nothing of the machine's own: empty local repository, own settings, own home."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from attrs import frozen

from tests.e2e import marked

_SETTINGS = """<settings>
  <servers>{server}</servers>
  <mirrors>
    <mirror><id>lab</id><mirrorOf>*</mirrorOf><url>{url}/</url></mirror>
  </mirrors>
  <pluginGroups><pluginGroup>com.example.lab</pluginGroup></pluginGroups>
  <profiles>
    <profile>
      <id>lab</id>
      <repositories>
        <repository>
          <id>lab-repository</id><url>{url}/</url><snapshots><enabled>true</enabled></snapshots>
        </repository>
      </repositories>
    </profile>
  </profiles>
  <activeProfiles><activeProfile>lab</activeProfile></activeProfiles>
</settings>
"""


@frozen
class Run:
    """One finished build."""

    code: int
    output: str
    local: Path
    """The local repository it filled."""

    def fetched(self, name: str) -> bool:
        """Whether a file of this name was downloaded into the local repository."""
        return any(self.local.rglob(name))


@frozen
class Maven:
    """A sandbox for builds; every run starts from an empty local repository, but for one that goes
    on."""

    folder: Path

    def run(
        self, url: str, project: Path, *goals: str, server: str = "", after: Run | None = None
    ) -> Run:
        """Build with strict checksums, asking ``url`` for everything. ``server`` is XML that says
        who asks, of :func:`password` or :func:`header`. With ``after`` it goes on with the local
        repository of a build before, as who tries again does."""
        sandbox = self.folder / str(len(list(self.folder.iterdir())))
        if after is not None:
            sandbox = after.local.parent
        local, home = sandbox / "repository", sandbox / "home"
        home.mkdir(parents=True, exist_ok=True)
        settings = sandbox / "settings.xml"
        settings.write_text(_SETTINGS.format(url=url, server=server))
        done = subprocess.run(
            ["mvn", "-B", "-ntp", "-C", "-s", settings, f"-Dmaven.repo.local={local}", *goals],
            cwd=project,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "MAVEN_OPTS": f"-Duser.home={home} -XX:TieredStopAtLevel=1",
                "MAVEN_SKIP_RC": "1",
            },
            capture_output=True,
            text=True,
            timeout=240,
        )
        said = done.stdout + done.stderr
        assert marked.SECRETS.found("output of mvn", said.encode()) == []
        return Run(done.returncode, said, local)


def password(username: str, password: str) -> str:
    """Credentials that Maven sends to a server that asks for them."""
    return (
        f"<server><id>lab</id><username>{username}</username>"
        f"<password>{password}</password></server>"
    )


def header(name: str, value: str) -> str:
    """A header that Maven sends with every request."""
    return (
        "<server><id>lab</id><configuration><httpHeaders><property>"
        f"<name>{name}</name><value>{value}</value>"
        "</property></httpHeaders></configuration></server>"
    )
