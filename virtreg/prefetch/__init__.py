"""Having images cached before anybody asks for them."""

from virtreg.prefetch.platforms import ALL, Platforms, own_platform, parse_platforms
from virtreg.prefetch.pulling import Prefetched, Watcher, prefetch

__all__ = [
    "ALL",
    "Platforms",
    "Prefetched",
    "Watcher",
    "own_platform",
    "parse_platforms",
    "prefetch",
]
