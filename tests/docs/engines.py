"""Files of container engines, as the pages show them."""

from __future__ import annotations

from typing import Any

_PLACES = {"server", "host", "override_path"}
"""At the top of containerd's hosts.toml(5)."""
_HOST = {"capabilities", "override_path", "header"}
_LOCATION = {"prefix", "location", "insecure", "mirror"}
"""Of a table of containers-registries.conf(5)."""


def reads(content: dict[str, Any]) -> bool:
    """Whether a file of TOML is one for an engine; it must be well-formed then."""
    registries = content.get("registry")
    if "plugins" in content:
        _containerd(content["plugins"])
    elif isinstance(content.get("server"), str) or "host" in content:
        _hosts(content)
    elif isinstance(registries, dict):
        for table in registries.values():
            assert table.keys() <= {"mirrors", "http"}
    elif isinstance(registries, list) and any("location" in table for table in registries):
        _locations(registries)
    else:
        return content.keys() == {"unqualified-search-registries"}
    return True


def _containerd(plugins: dict[str, Any]) -> None:
    for plugin in plugins.values():
        assert plugin == {"registry": {"config_path": "/etc/containerd/certs.d"}}


def _hosts(content: dict[str, Any]) -> None:
    assert content.keys() <= _PLACES
    for url, table in content.get("host", {}).items():
        assert url.startswith(("http://", "https://"))
        assert table.keys() <= _HOST
        # A path that is not to be completed is one that is complete.
        assert table.get("override_path", False) == ("/v2/" in url)


def _locations(registries: list[dict[str, Any]]) -> None:
    for table in registries:
        assert table.keys() <= _LOCATION
        for mirror in table.get("mirror", []):
            assert mirror.keys() <= _LOCATION
