"""Upstreams over HTTP, on urllib3's connections."""

from virtreg.backends.http.upstream import HttpUpstream

__all__ = ["HttpUpstream"]
