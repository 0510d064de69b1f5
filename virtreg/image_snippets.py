"""What to paste into container engines so that they use a registry of images. Pure text.

Engines put ``/v2/`` before everything they ask for, so below a path of the server only those work
that are told whole URLs: Docker and containerd.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from virtreg.formats.container.namespaces import DOCKER_HUB, DOCKER_HUB_URL, namespace, namespaces
from virtreg.model import RegistrySpec


def image_prefix(base_url: str, registry: RegistrySpec) -> str:
    """What image names begin with: ``host:port/<registry>``, with the path in between where the
    server is below one."""
    parts = urlsplit(base_url)
    return f"{authority(base_url)}{parts.path.rstrip('/')}/{registry.name}"


def authority(base_url: str) -> str:
    """Host and port as image names have them: without a dot or a port, a first component that is
    not ``localhost`` would be read as a part of the name."""
    parts = urlsplit(base_url)
    if set(parts.netloc) & set(".:") or parts.netloc.lower() == "localhost":
        return parts.netloc
    return f"{parts.netloc}:{80 if insecure(base_url) else 443}"


def insecure(url: str) -> bool:
    """Whether there is no TLS, which engines want to be told."""
    return url.lower().startswith("http:")


def docker_pull(base_url: str, registry: RegistrySpec) -> str:
    """A command that pulls without any configuration."""
    image = "library/alpine" if DOCKER_HUB in namespaces(registry) else "IMAGE:TAG"
    return f"docker pull {image_prefix(base_url, registry)}/{image}\n"


def daemon_json(base_url: str, registry: RegistrySpec) -> str | None:
    """Docker's ``daemon.json``; None when there is nothing to say in it.

    Docker has mirrors of Docker Hub only. Docker 20 takes none with a path, so that the default
    registry is given without one.
    """
    content: dict[str, list[str]] = {}
    if DOCKER_HUB in namespaces(registry):
        path = "" if registry.default else f"/{registry.name}"
        content["registry-mirrors"] = [f"{base_url.rstrip('/')}{path}"]
    if insecure(base_url):
        content["insecure-registries"] = [authority(base_url)]
    return f"{json.dumps(content, indent=2)}\n" if content else None


def hosts_toml(base_url: str, registry: RegistrySpec, host: str) -> str:
    """containerd's ``hosts.toml`` for one namespace, as the file of its folder ``certs.d/<host>``,
    which ``config_path`` in containerd's own configuration leads to."""
    return f"""\
server = {_toml(_origin(registry, host))}

[host.{_toml(f"{base_url.rstrip('/')}/v2/{registry.name}")}]
  capabilities = ["pull", "resolve"]
  override_path = true
"""


def registries_conf(base_url: str, registry: RegistrySpec) -> str:
    """``registries.conf`` of Podman, Buildah, Skopeo and CRI-O."""
    tables = []
    if insecure(base_url):
        tables.append(f"[[registry]]\nlocation = {_toml(authority(base_url))}\ninsecure = true\n")
    for host in namespaces(registry):
        lines = [
            "[[registry]]",
            f"prefix = {_toml(host)}",
            f"location = {_toml(host)}",
            "",
            "[[registry.mirror]]",
            f"location = {_toml(image_prefix(base_url, registry))}",
        ]
        if insecure(base_url):
            lines.append("insecure = true")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def buildkitd_toml(base_url: str, registry: RegistrySpec) -> str:
    """BuildKit's ``buildkitd.toml``."""
    mirrors = f"mirrors = [{_toml(image_prefix(base_url, registry))}]\n"
    tables = [f"[registry.{_toml(host)}]\n{mirrors}" for host in namespaces(registry)]
    if insecure(base_url):
        tables.append(f"[registry.{_toml(authority(base_url))}]\nhttp = true\n")
    return "\n".join(tables)


def _origin(registry: RegistrySpec, host: str) -> str:
    """Where the images of a namespace come from when the registry does not answer."""
    if host == DOCKER_HUB:
        return DOCKER_HUB_URL
    for upstream in registry.upstreams:
        parts = urlsplit(upstream.url)
        if namespace(parts.netloc) == host:
            return f"{parts.scheme}://{parts.netloc}"
    return f"https://{host}"


def _toml(text: str) -> str:
    """A basic string (TOML 1.0.0, String)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
