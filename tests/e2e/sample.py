"""A small multi-module project whose build needs every upstream."""

from __future__ import annotations

from pathlib import Path

_PLUGINS = {
    "maven-clean-plugin": "3.2.0",
    "maven-resources-plugin": "3.3.0",
    "maven-compiler-plugin": "3.10.1",
    "maven-surefire-plugin": "2.22.3",
    "maven-jar-plugin": "3.3.0",
}

# Maven 3.8 adds plexus-utils 1.1 to a plugin that names none, and Debian has only newer ones.
_PLUGIN = """
        <plugin>
          <artifactId>{name}</artifactId>
          <version>{version}</version>
          <dependencies>
            <dependency>
              <groupId>org.codehaus.plexus</groupId>
              <artifactId>plexus-utils</artifactId>
              <version>debian</version>
            </dependency>
          </dependencies>
        </plugin>"""

_PARENT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example.sample</groupId>
  <artifactId>parent</artifactId>
  <version>1.0</version>
  <packaging>pom</packaging>
  <modules>{modules}</modules>
  <properties>
    <maven.compiler.source>8</maven.compiler.source>
    <maven.compiler.target>8</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <build>
    <pluginManagement>
      <plugins>{plugins}
      </plugins>
    </pluginManagement>
  </build>
</project>
"""

_MODULE = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>com.example.sample</groupId>
    <artifactId>parent</artifactId>
    <version>1.0</version>
  </parent>
  <artifactId>{name}</artifactId>
  <dependencies>{dependencies}
  </dependencies>
</project>
"""

_DEPENDENCY = """
    <dependency>
      <groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version>
    </dependency>"""

_WORDS = """package com.example.sample;
public final class Words {
    public static String joined(String... words) {
        return com.google.common.base.Joiner.on(' ').join(words);
    }
}
"""

_PAGE = """package com.example.sample;
public final class Page {
    public static String title(String who) {
        return com.example.lab.Banner.frame(com.example.lab.Greeter.greet(who));
    }
}
"""

_APP = """package com.example.sample;
public final class App {
    public static void main(String[] words) {
        System.out.println(Page.title(Words.joined(words)));
    }
}
"""

Coordinate = tuple[str, str, str]
"""Group, artifact, version or range."""


def write(folder: Path) -> Path:
    """Three modules: guava for the first, our own artifacts (one a SNAPSHOT) for the second."""
    modules: dict[str, tuple[str, str, list[Coordinate]]] = {
        "words": ("Words", _WORDS, [("com.google.guava", "guava", "debian")]),
        "page": (
            "Page",
            _PAGE,
            [
                ("com.example.lab", "banner", "1.0"),
                ("com.example.lab", "greeter", "1.0-SNAPSHOT"),
            ],
        ),
        "app": (
            "App",
            _APP,
            [("com.example.sample", "words", "1.0"), ("com.example.sample", "page", "1.0")],
        ),
    }
    _write_parent(folder, list(modules))
    for name, (class_name, source, dependencies) in modules.items():
        _write_module(folder / name, name, dependencies)
        package = folder / name / "src/main/java/com/example/sample"
        package.mkdir(parents=True)
        (package / f"{class_name}.java").write_text(source)
    return folder


def write_consumer(folder: Path, *dependencies: Coordinate) -> Path:
    """One module without sources that only resolves ``dependencies``."""
    _write_parent(folder, ["consumer"])
    _write_module(folder / "consumer", "consumer", list(dependencies))
    resources = folder / "consumer/src/main/resources"
    resources.mkdir(parents=True)
    (resources / "readme.txt").write_text("nothing to compile\n")
    return folder


def _write_parent(folder: Path, modules: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    plugins = "".join(_PLUGIN.format(name=name, version=of) for name, of in _PLUGINS.items())
    listed = "".join(f"<module>{name}</module>" for name in modules)
    (folder / "pom.xml").write_text(_PARENT.format(modules=listed, plugins=plugins))


def _write_module(folder: Path, name: str, dependencies: list[Coordinate]) -> None:
    folder.mkdir()
    listed = "".join(_DEPENDENCY.format(*dependency) for dependency in dependencies)
    (folder / "pom.xml").write_text(_MODULE.format(name=name, dependencies=listed))
