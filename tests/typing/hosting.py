"""The public API as a host uses it; checked by mypy and pyright, in strict mode, and not run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from wsgiref.types import WSGIApplication

from virtreg.assembly import build
from virtreg.config import Config, default_config, load
from virtreg.errors import NotFound, Unauthenticated, UpstreamError, VirtregError
from virtreg.events import Event, Filled
from virtreg.model import Credentials, Principal, RegistrySpec, Scope, Secret, UpstreamSpec
from virtreg.protocols import Authenticator, VirtualRegistry
from virtreg.snippets import Snippet, snippets


class Gateway:
    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        if credentials.authorization is None:
            raise Unauthenticated(f"{scope.action} of {scope.path}: log in")
        return Principal("ci")


def observe(event: Event) -> None:
    if isinstance(event, Filled):
        seconds: float = event.seconds
        print(event.registry, event.path, event.upstream, event.size, seconds)


def in_code() -> Config:
    upstream = UpstreamSpec(
        name="private",
        url="https://nexus.example.org/repository/maven",
        username="ci",
        password=Secret(os.environ["NEXUS_PASSWORD"]),
        on_error="stop",
        allow_private=("10.0.0.0/8",),
    )
    registry = RegistrySpec(id=1, name="main", format="maven", upstreams=(upstream,))
    return Config(registries=(registry,))


def from_file(path: Path | None) -> Config:
    return default_config(Path("cache")) if path is None else load(path, os.environ)


def mount(config: Config) -> WSGIApplication:
    gateway: Authenticator = Gateway()
    assembly = build(config, authenticator=gateway, observers=[observe])
    stats: Mapping[str, int] = assembly.stats()
    print(stats["requests"])
    return assembly.app


def pull(registry: VirtualRegistry, path: str) -> bytes | None:
    try:
        with registry.resolve(registry.format.route(path)).body as body:
            return b"".join(body.read(0, 1024))
    except NotFound as error:
        print([(answer.upstream, answer.outcome) for answer in error.answers])
        return None
    except UpstreamError as error:
        print(error.upstream, error.retry_after)
        raise
    except VirtregError as error:
        print(error.status, error.code, error.message)
        raise


def paste(config: Config) -> dict[str, str]:
    found: tuple[Snippet, ...] = snippets("https://repo.example.org", config.registries[0])
    return {snippet.filename: snippet.text for snippet in found}
