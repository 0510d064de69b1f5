"""What a configuration file wants to be stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import attrs
from attrs import frozen

from virtreg.config import Config
from virtreg.core.egress import EgressPolicy
from virtreg.errors import Invalid
from virtreg.model import Ownership, RegistrySpec, Rule, Secret, UpstreamSpec
from virtreg.wsgi.api.flavour import FLAVOURS
from virtreg.wsgi.api.urls import normalised

Key = tuple[str, str, str]
"""Group, format and name: what makes a registry, or an upstream, the same one."""

_ANYWHERE: Final = EgressPolicy(("0.0.0.0/0", "::/0"))
"""Where upstreams may be is for the server to decide."""
_SAID: Final = (
    "on_error",
    "on_refused",
    "on_missing",
    "negative_validity_seconds",
    "connect_timeout",
    "read_timeout",
    "max_connections",
)
_OF_MAVEN: Final = ("metadata_cache_validity_hours", "minimum_release_age_hours")
_IN_FILES: Final = (
    "registry",
    "folder",
    "bearer",
    "headers",
    "credential_command",
    "token_realms",
    "default_namespace",
    "total_timeout",
    "proxy",
    "allow_private",
    "ca_file",
)
"""Settings of upstreams that the API does not take."""
_REGISTRIES_IN_FILES: Final = ("namespaces", "hosts", "default", "public")


@frozen
class WantedUpstream:
    key: Key
    fields: Mapping[str, Any]
    """As the API takes them, without the login."""
    username: str | None
    password: Secret | None
    rules: tuple[Rule, ...]

    @property
    def login(self) -> dict[str, str | None]:
        """As the API takes it."""
        password = None if self.password is None else self.password.reveal()
        return {"username": self.username, "password": password}


@frozen
class WantedRegistry:
    key: Key
    fields: Mapping[str, Any]
    upstreams: tuple[Key, ...]
    """Best position first."""
    ownerships: tuple[Ownership, ...]
    problems: tuple[str, ...]
    """Why it cannot be stored, a line each; those of its upstreams among them."""


@frozen
class Wanted:
    registries: tuple[WantedRegistry, ...]
    upstreams: Mapping[Key, WantedUpstream]

    @property
    def groups(self) -> list[str]:
        return sorted({registry.key[0] for registry in self.registries})


def wanted_of(config: Config) -> Wanted:
    """Of a file with its secrets. An upstream that registries of several groups list becomes one in
    each of them."""
    upstreams = {
        _key(spec, each.name): _upstream(spec, each)
        for spec in config.registries
        for each in spec.upstreams
    }
    return Wanted(tuple(_registry(spec) for spec in config.registries), upstreams)


def _registry(spec: RegistrySpec) -> WantedRegistry:
    # The API takes no description back.
    description = {"description": spec.description} if spec.description else {}
    return WantedRegistry(
        key=_key(spec, spec.name),
        fields={"order": spec.order, **description},
        upstreams=tuple(_key(spec, each.name) for each in spec.upstreams),
        ownerships=spec.ownerships,
        problems=tuple(_problems(spec)),
    )


def _upstream(registry: RegistrySpec, spec: UpstreamSpec) -> WantedUpstream:
    names = ("cache_validity_hours", *_SAID, *(_OF_MAVEN if registry.format == "maven" else ()))
    fields = {name: _plain(getattr(spec, name)) for name in names}
    url = spec.url
    with suppress(Invalid):  # told among the problems
        url = _url(registry.format, spec)
    return WantedUpstream(
        key=_key(registry, spec.name),
        fields={"url": url, **fields},
        username=spec.username,
        password=spec.password,
        rules=spec.rules,
    )


def _problems(registry: RegistrySpec) -> Iterator[str]:
    for name in _different(registry, _REGISTRIES_IN_FILES):
        yield f"registry {registry.name!r}: {name} is for the server's own file, and not stored"
    for spec in registry.upstreams:
        for name in _different(spec, _IN_FILES):
            yield f"upstream {spec.name!r}: {name} is for the server's own file, and not stored"
        for name in ("cache_validity_hours", "metadata_cache_validity_hours"):
            if not float(getattr(spec, name)).is_integer():
                yield f"upstream {spec.name!r}: {name} must be whole hours to be stored"
        if spec.local:
            continue
        try:
            _url(registry.format, spec)
        except Invalid as error:
            yield f"upstream {spec.name!r}: {error.message}"


def _different(spec: attrs.AttrsInstance, names: tuple[str, ...]) -> Iterator[str]:
    """Of the fields, those that were said."""
    for each in attrs.fields(type(spec)):
        if each.name in names and getattr(spec, each.name) != each.default:
            yield each.name


def _url(format_name: str, spec: UpstreamSpec) -> str:
    """As it will be stored."""
    flavour = next(each for each in FLAVOURS if each.format == format_name)
    return normalised(spec.url, flavour, _ANYWHERE)


def _key(registry: RegistrySpec, name: str) -> Key:
    return registry.group, registry.format, name


def _plain(value: Any) -> Any:
    """Whole numbers as such: some fields take no others."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
