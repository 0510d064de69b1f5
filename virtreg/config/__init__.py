"""Configuration: a TOML file becomes frozen values, or one complete error."""

from virtreg.config.defaults import default_config
from virtreg.config.loading import load
from virtreg.config.values import (
    AccessConfig,
    Config,
    LimitsConfig,
    ManagementConfig,
    MetricsConfig,
    ServerConfig,
    StorageConfig,
    TracingConfig,
)

__all__ = [
    "AccessConfig",
    "Config",
    "LimitsConfig",
    "ManagementConfig",
    "MetricsConfig",
    "ServerConfig",
    "StorageConfig",
    "TracingConfig",
    "default_config",
    "load",
]
