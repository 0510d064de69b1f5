"""What clients send. Of fields that are UNSET by default some may be missing; null stands for
itself alone."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from virtreg.wsgi.api.paging import Paging

_LINE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*(?!\n)$"
"""Something to see, on one line."""
_CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_TEXT = f"^[^{_CONTROL}]*$"
_SAID = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"

_LARGEST = 2**31 - 1

Name = Annotated[
    str, Meta(pattern=_LINE, max_length=255, description="For people; at most 255 characters.")
]
Description = Annotated[str, Meta(pattern=_TEXT, max_length=1024)]
SaidDescription = Annotated[str, Meta(pattern=_SAID, max_length=1024)]
Url = Annotated[
    str,
    Meta(
        pattern=r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/:?#@\x00-\x1f\x7f]",
        max_length=255,
        description="http or https, on the public internet; without user name, query or fragment.",
    ),
]
Username = Annotated[
    str, Meta(pattern=r"^[^:\x00-\x1f\x7f]*(?!\n)$", max_length=510, description="With `password`.")
]
Password = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$",
        max_length=510,
        description="With `username`. Kept encrypted, and never shown.",
    ),
]
Validity = Annotated[
    int,
    Meta(ge=0, le=_LARGEST, description="Hours a cached file is served unchecked; 0: for good."),
]
MetadataValidity = Annotated[
    int, Meta(ge=1, le=_LARGEST, description="Hours a cached `maven-metadata.xml` is served.")
]
Number = Annotated[int, Meta(ge=1, le=10**15 - 1)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


_Order = Annotated[
    Literal["cached", "strict"] | UnsetType,
    Meta(
        description="`cached`: what an upstream has in its cache is answered from there. `strict`: "
        "those before it are asked first."
    ),
]


class RegistryNew(Struct, kw_only=True):
    name: Name
    description: Description | UnsetType | None = UNSET
    order: _Order = UNSET


class RegistryChange(Struct, kw_only=True):
    name: Name | UnsetType = UNSET
    description: SaidDescription | UnsetType = UNSET
    order: _Order = UNSET


class Login(Struct, kw_only=True):
    """A user name with its password, or neither."""

    username: Username | UnsetType | None = UNSET
    password: Password | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class UpstreamSettings(Login, kw_only=True):
    """What may be said of an upstream, and may be left as it is."""

    description: Description | UnsetType | None = UNSET
    cache_validity_hours: Validity | UnsetType = UNSET
    on_error: Annotated[
        Literal["stop", "continue"] | UnsetType,
        Meta(description="Whether upstreams after it are asked while it is broken."),
    ] = UNSET
    on_refused: Annotated[
        Literal["error", "absent"] | UnsetType | None, Meta(description="How 401 and 403 are read.")
    ] = UNSET
    on_missing: Annotated[
        Literal["keep", "drop"] | UnsetType,
        Meta(description="What happens to a cached file that it no longer has."),
    ] = UNSET
    negative_validity_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=_LARGEST)] | UnsetType,
        Meta(description="How long it is believed that a file is not there."),
    ] = UNSET
    connect_timeout: Seconds | UnsetType = UNSET
    read_timeout: Seconds | UnsetType = UNSET
    max_connections: Annotated[int, Meta(ge=1, le=1000)] | UnsetType = UNSET


class UpstreamNew(UpstreamSettings, kw_only=True):
    """Of any format but Maven."""

    url: Url
    name: Name


class UpstreamChange(UpstreamSettings, kw_only=True):
    """Of any format but Maven."""

    url: Url | UnsetType = UNSET
    name: Name | UnsetType = UNSET


_Age = Annotated[
    Annotated[float, Meta(ge=0, le=_LARGEST)] | UnsetType,
    Meta(description="Releases younger than that are as if they were not there."),
]


class MavenUpstreamNew(UpstreamNew, kw_only=True):
    metadata_cache_validity_hours: MetadataValidity | UnsetType = UNSET
    minimum_release_age_hours: _Age = UNSET


class MavenUpstreamChange(UpstreamChange, kw_only=True):
    metadata_cache_validity_hours: MetadataValidity | UnsetType = UNSET
    minimum_release_age_hours: _Age = UNSET


class LocalUpstreamSettings(Struct, kw_only=True):
    """Of an upstream that is a registry of this server, of any format but Maven."""

    description: Description | UnsetType | None = UNSET
    cache_validity_hours: Annotated[
        Validity | UnsetType, Meta(description="Means nothing: its registry decides.")
    ] = UNSET
    on_error: Annotated[
        Literal["stop", "continue"] | UnsetType,
        Meta(description="Whether upstreams after it are asked while it is broken."),
    ] = UNSET


class LocalUpstreamNew(LocalUpstreamSettings, kw_only=True):
    name: Name
    local_registry_id: Annotated[
        Number,
        Meta(description="A registry of the same format, which the caller may read."),
    ]


class LocalUpstreamChange(LocalUpstreamSettings, kw_only=True):
    name: Name | UnsetType = UNSET


_LocalMetadataValidity = Annotated[
    MetadataValidity | UnsetType, Meta(description="Means nothing: its registry decides.")
]


class MavenLocalUpstreamNew(LocalUpstreamNew, kw_only=True):
    metadata_cache_validity_hours: _LocalMetadataValidity = UNSET
    minimum_release_age_hours: _Age = UNSET


class MavenLocalUpstreamChange(LocalUpstreamChange, kw_only=True):
    metadata_cache_validity_hours: _LocalMetadataValidity = UNSET
    minimum_release_age_hours: _Age = UNSET


class TrialNew(Login, kw_only=True):
    """An upstream that is not there yet."""

    url: Url


class TrialChange(Login, kw_only=True):
    """What would be changed of an upstream."""

    url: Url | UnsetType = UNSET


class UpstreamSearch(Paging, kw_only=True):
    upstream_name: Annotated[
        str, Meta(max_length=255, description="Part of the name, in any case.")
    ] = ""


class AssociationNew(Struct, kw_only=True):
    registry_id: Number
    upstream_id: Number


class Position(Struct, kw_only=True):
    position: Annotated[
        int,
        Meta(ge=1, le=20, description="From 1, which is asked first. The last at most is taken."),
    ]
