"""virtreg: one URL in front of many package and image registries.

Names are imported when they are first used, so that ``import virtreg`` itself costs next to
nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from virtreg.assembly import Assembly, build
    from virtreg.config import Config, ServerConfig, StorageConfig, default_config, load
    from virtreg.errors import (
        ConfigError,
        Forbidden,
        IntegrityError,
        InvalidRequest,
        NotFound,
        StorageError,
        Unauthenticated,
        UpstreamError,
        VirtregError,
    )
    from virtreg.model import RegistrySpec, Route, Secret, UpstreamSpec

__version__ = "0.1.0"

__all__ = [
    "Assembly",
    "Config",
    "ConfigError",
    "Forbidden",
    "IntegrityError",
    "InvalidRequest",
    "NotFound",
    "RegistrySpec",
    "Route",
    "Secret",
    "ServerConfig",
    "StorageConfig",
    "StorageError",
    "Unauthenticated",
    "UpstreamError",
    "UpstreamSpec",
    "VirtregError",
    "build",
    "default_config",
    "load",
]

_HOMES = {
    "virtreg.assembly": ("Assembly", "build"),
    "virtreg.config": ("Config", "ServerConfig", "StorageConfig", "default_config", "load"),
    "virtreg.errors": (
        "ConfigError",
        "Forbidden",
        "IntegrityError",
        "InvalidRequest",
        "NotFound",
        "StorageError",
        "Unauthenticated",
        "UpstreamError",
        "VirtregError",
    ),
    "virtreg.model": ("RegistrySpec", "Route", "Secret", "UpstreamSpec"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'virtreg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
