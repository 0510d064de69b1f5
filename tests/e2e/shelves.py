"""The repositories behind the tests: Debian's Java packages and a few artifacts of our own, split
over three upstreams so that no build can do with one of them.

- ``plugins``: the group org.apache.maven.plugins, nothing else.
- ``releases``: the rest of Debian's; ``catalog`` 1.0 and 2.0; an older build of ``greeter``;
  ``hello-maven-plugin`` 1.0.
- ``snapshots``: ``banner``; ``catalog`` 1.5; a newer build of ``greeter``;
  ``hello-maven-plugin`` 2.0.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from tests.e2e import java
from tests.e2e.tree import Tree

GROUP = "com.example.lab"
UPSTREAMS = ("plugins", "releases", "snapshots")
"""Best position first."""
OLDER_BUILD = "1.0-20250101.120000-1"
NEWER_BUILD = "1.0-20250102.120000-2"

_DEBIAN = Path("/usr/share/maven-repo")

_GREETER = """
package com.example.lab;
public final class Greeter {
    public static String greet(String who) { return "hello " + who; }
}
"""

_BANNER = """
package com.example.lab;
public final class Banner {
    public static String frame(String text) { return "* " + text + " *"; }
}
"""

_HELLO = """
package com.example.lab;
import java.io.InputStream;
import java.util.Scanner;
import org.apache.maven.plugin.AbstractMojo;
public final class HelloMojo extends AbstractMojo {
    public void execute() {
        InputStream version = HelloMojo.class.getResourceAsStream("/version.txt");
        getLog().info("hello from " + new Scanner(version, "UTF-8").nextLine());
    }
}
"""

_HELLO_DEPENDENCIES = """  <dependencies>
    <dependency>
      <groupId>org.apache.maven</groupId><artifactId>maven-plugin-api</artifactId>
      <version>3.x</version><scope>provided</scope>
    </dependency>
    <dependency>
      <groupId>org.codehaus.plexus</groupId><artifactId>plexus-utils</artifactId>
      <version>debian</version>
    </dependency>
  </dependencies>
"""

_HELLO_DESCRIPTOR = """<plugin>
  <groupId>com.example.lab</groupId>
  <artifactId>hello-maven-plugin</artifactId>
  <version>{version}</version>
  <goalPrefix>hello</goalPrefix>
  <mojos>
    <mojo>
      <goal>greet</goal>
      <requiresProject>false</requiresProject>
      <implementation>com.example.lab.HelloMojo</implementation>
      <language>java</language>
      <instantiationStrategy>per-lookup</instantiationStrategy>
    </mojo>
  </mojos>
</plugin>
"""


Classes = dict[str, bytes]
"""Entries of a jar."""


@frozen
class Products:
    """What our own artifacts are made of; compiled once, published in several trees."""

    greeter: Classes
    banner: Classes
    hello: Classes


def make(workshop: Path) -> Products:
    """Compile in an empty folder."""
    api = _DEBIAN / "org/apache/maven/maven-plugin-api/3.x/maven-plugin-api-3.x.jar"
    return Products(
        greeter=java.compiled(workshop / "greeter", "com.example.lab.Greeter", _GREETER),
        banner=java.compiled(workshop / "banner", "com.example.lab.Banner", _BANNER),
        hello=java.compiled(workshop / "hello", "com.example.lab.HelloMojo", _HELLO, api),
    )


def fill(place: Callable[[str], Tree], products: Products) -> None:
    """Put every artifact into the tree that ``place`` gives for its upstream, then index them.

    ``place`` may give one tree for all names: the merged repository.
    """
    _debian(place)
    _catalog(place)
    _greeter(place, products.greeter)
    _banner(place("snapshots"), products.banner)
    _hello(place, products.hello)
    for tree in {place(name) for name in UPSTREAMS}:
        tree.index()


def _debian(place: Callable[[str], Tree]) -> None:
    assert _DEBIAN.is_dir(), f"{_DEBIAN} is missing: install what .ci/run installs"
    for file in _DEBIAN.rglob("*"):
        # Most jars here are links into /usr/share/java, some of which point nowhere.
        if file.suffix in {".pom", ".jar"} and file.is_file():
            path = file.relative_to(_DEBIAN).as_posix()
            plugin = path.startswith("org/apache/maven/plugins/")
            place("plugins" if plugin else "releases").put(path, file.read_bytes())


def _catalog(place: Callable[[str], Tree]) -> None:
    for version, upstream in (("1.0", "releases"), ("1.5", "snapshots"), ("2.0", "releases")):
        place(upstream).release(
            GROUP,
            "catalog",
            version,
            pom=java.pom(GROUP, "catalog", version),
            jar=java.jar({"catalog.txt": version.encode()}),
        )


def _greeter(place: Callable[[str], Tree], classes: Classes) -> None:
    for build, upstream in ((OLDER_BUILD, "releases"), (NEWER_BUILD, "snapshots")):
        base, timestamp, number = build.split("-")
        place(upstream).snapshot(
            GROUP,
            "greeter",
            base,
            timestamp,
            int(number),
            pom=java.pom(GROUP, "greeter", f"{base}-SNAPSHOT"),
            jar=java.jar({**classes, "build.txt": build.encode()}),
        )


def _banner(tree: Tree, classes: Classes) -> None:
    tree.release(
        GROUP, "banner", "1.0", pom=java.pom(GROUP, "banner", "1.0"), jar=java.jar(classes)
    )


def _hello(place: Callable[[str], Tree], classes: Classes) -> None:
    name = "hello-maven-plugin"
    for version, upstream in (("1.0", "releases"), ("2.0", "snapshots")):
        descriptor = _HELLO_DESCRIPTOR.format(version=version).encode()
        place(upstream).release(
            GROUP,
            name,
            version,
            pom=java.pom(GROUP, name, version, packaging="maven-plugin", extra=_HELLO_DEPENDENCIES),
            jar=java.jar(
                {
                    **classes,
                    "META-INF/maven/plugin.xml": descriptor,
                    "version.txt": version.encode(),
                }
            ),
        )
