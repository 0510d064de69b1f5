"""What a server says about itself when it is ready."""

from __future__ import annotations

from collections.abc import Iterator

from virtreg.config import Config, ServerConfig
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.snippets import registry_url, snippets

_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


def base_url(server: ServerConfig) -> str:
    """Where clients reach the server; where it does not say, those on this machine."""
    if server.external_url:
        return server.external_url
    host = "localhost" if server.host in _EVERY_ADDRESS else server.host
    return _url(host, server.port)


def banner(config: Config) -> Iterator[str]:
    """Lines: where it listens, where it keeps its files, and what it serves."""
    base = base_url(config.server)
    yield f"Listening on {_url(config.server.host, config.server.port)}"
    yield f"Data folder: {config.storage.path}"
    if config.storage.url is not None:
        yield f"Files: {config.storage.url}"
    if config.storage.database is not None:
        # Loaded where it is used by then.
        from virtreg.backends.sql.server import DatabaseServer

        yield f"Database: {DatabaseServer(config.storage.database)}"
    if config.server.offline:
        yield "Offline: only what is cached is served"
    for registry in config.registries:
        yield ""
        yield f"Registry {registry.name}: {registry_url(base, registry)}"
        for upstream in registry.upstreams:
            yield f"  {upstream.name}: {_where(upstream)}"


def usage(config: Config) -> Iterator[str]:
    """Lines to paste into build tools and container engines, for every registry."""
    for registry in config.registries:
        yield ""
        yield from snippet_lines(base_url(config.server), registry)


def snippet_lines(base: str, registry: RegistrySpec) -> Iterator[str]:
    """Every snippet of a registry under its title."""
    for snippet in snippets(base, registry):
        yield f"# {registry.name}: {snippet.title}, {snippet.filename}"
        yield ""
        yield from snippet.text.splitlines()
        yield ""


def _where(upstream: UpstreamSpec) -> str:
    if upstream.registry is not None:
        return f"registry {upstream.registry}"
    return upstream.folder or upstream.url


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
