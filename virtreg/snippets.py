"""What to paste into a build tool or a container engine so that it uses a registry. Pure text.

``base_url`` is where clients reach the server, path prefix included, such as
``http://localhost:8081``.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from attrs import frozen

from virtreg import image_snippets as images
from virtreg.formats.container.namespaces import namespaces
from virtreg.model import RegistrySpec


@frozen
class Snippet:
    """A piece of configuration for one tool."""

    title: str
    filename: str
    """Where it belongs."""
    text: str


def registry_url(base_url: str, registry: RegistrySpec) -> str:
    """The URL that clients are given, which ends with a slash; for images what their names begin
    with, such as ``localhost:8081/hub``."""
    if registry.format == "container":
        return images.image_prefix(base_url, registry)
    return f"{base_url.rstrip('/')}/{registry.format}/{registry.name}/"


def snippets(base_url: str, registry: RegistrySpec) -> tuple[Snippet, ...]:
    """Snippets for every tool that speaks the registry's format; none for an unknown format."""
    if registry.format == "maven":
        return _maven(base_url, registry)
    if registry.format == "container":
        return tuple(_container(base_url, registry))
    return ()


def _container(base_url: str, registry: RegistrySpec) -> Iterator[Snippet]:
    below = urlsplit(base_url).path.strip("/")
    if not below:
        yield Snippet("Pull", "shell", images.docker_pull(base_url, registry))
    daemon = images.daemon_json(base_url, registry)
    if daemon is not None:
        yield Snippet("Docker", "/etc/docker/daemon.json", daemon)
    for host in namespaces(registry):
        text = images.hosts_toml(base_url, registry, host)
        yield Snippet("containerd", f"/etc/containerd/certs.d/{host}/hosts.toml", text)
    if not below:
        text = images.registries_conf(base_url, registry)
        file = f"/etc/containers/registries.conf.d/virtreg-{registry.name}.conf"
        yield Snippet("Podman, Buildah, Skopeo and CRI-O", file, text)
        text = images.buildkitd_toml(base_url, registry)
        yield Snippet("BuildKit", "/etc/buildkit/buildkitd.toml", text)


def _maven(base_url: str, registry: RegistrySpec) -> tuple[Snippet, ...]:
    url = registry_url(base_url, registry)
    name = f"virtreg-{registry.name}"
    return (
        Snippet("Maven", "~/.m2/settings.xml", _settings_xml(url, name)),
        Snippet("Gradle 7 and later", "settings.gradle", _settings_gradle(url)),
        Snippet("Gradle 6 and older", "build.gradle", _build_gradle(url)),
        Snippet("sbt", "build.sbt", _build_sbt(url, name)),
    )


def _settings_xml(url: str, name: str) -> str:
    return f"""\
<settings>
  <mirrors>
    <mirror>
      <id>{escape(name)}</id>
      <mirrorOf>*</mirrorOf>
      <url>{escape(url)}</url>
    </mirror>
  </mirrors>
</settings>
"""


def _settings_gradle(url: str) -> str:
    lines = ["    repositories {", "        maven {", f"            url = {_groovy(url)}"]
    if images.insecure(url):
        lines.append("            allowInsecureProtocol = true")
    block = "\n".join([*lines, "        }", "    }"])
    return f"""\
pluginManagement {{
{block}
}}
dependencyResolutionManagement {{
{block}
}}
"""


def _build_gradle(url: str) -> str:
    # Without `allowInsecureProtocol`, which Gradle 5 and older stop at.
    return f"""\
repositories {{
    maven {{
        url {_groovy(url)}
    }}
}}
"""


def _build_sbt(url: str, name: str) -> str:
    resolver = f"{_scala(name)} at {_scala(url)}"
    if images.insecure(url):
        resolver = f"({resolver}).withAllowInsecureProtocol(true)"
    return f"externalResolvers := Seq(Resolver.defaultLocal, {resolver})\n"


def _groovy(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _scala(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
