"""Configuration: a TOML file becomes frozen values, or one complete error."""

from virtreg.config.defaults import default_config
from virtreg.config.loading import load
from virtreg.config.values import (
    AccessConfig,
    Config,
    LimitsConfig,
    ManagementConfig,
    ServerConfig,
    StorageConfig,
)

__all__ = [
    "AccessConfig",
    "Config",
    "LimitsConfig",
    "ManagementConfig",
    "ServerConfig",
    "StorageConfig",
    "default_config",
    "load",
]
