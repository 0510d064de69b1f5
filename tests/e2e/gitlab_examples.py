"""The requests that GitLab's documentation shows for virtual registries of Maven files, of images,
and for their cleanup policies, in an order in which they make sense; with the status and the fields
of the answers it documents.

In paths and bodies ``{registry}``, ``{upstream}`` and the like are what an earlier answer told.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

_COMMON = ("id", "group_id", "name", "description", "created_at", "updated_at")
REGISTRY = _COMMON
PLACE_OF_UPSTREAM = ("id", "registry_id", "position")
UPSTREAM = (
    *("id", "group_id", "url", "name", "description", "cache_validity_hours"),
    *("username", "created_at", "updated_at"),
)
MAVEN_UPSTREAM = (*UPSTREAM, "metadata_cache_validity_hours")
ASSOCIATION = ("id", "registry_id", "upstream_id", "position")
ENTRY = (
    *("id", "group_id", "upstream_id", "upstream_checked_at", "file_sha1", "size"),
    *("relative_path", "content_type", "upstream_etag", "created_at", "updated_at"),
    *("downloads_count", "downloaded_at"),
)
MAVEN_ENTRY = (*ENTRY, "file_md5")
POLICY = (
    *("group_id", "next_run_at", "last_run_at", "last_run_deleted_size"),
    *("last_run_deleted_entries_count", "keep_n_days_after_download", "status", "cadence"),
    *("enabled", "failure_message", "last_run_detailed_metrics", "created_at", "updated_at"),
)


@frozen
class Example:
    """One request. ``data`` is what curl is given by ``--data``: JSON, unless it is a form."""

    method: str
    path: str
    status: int = 200
    data: str = ""
    form: bool = False
    fields: tuple[str, ...] = ()
    """Of the answer's object, or of each object in its list."""
    within: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Fields of an object, or of the objects of a list, that the answer has by this name."""
    listed: bool = False
    paged: bool = False
    told: Mapping[str, str] = field(factory=dict)
    """Names for what the answer tells: by each the way to it, as in ``0.id``."""


_NEW = '"description": "My virtual registry"'
_LOGIN = '"username": "user", "password": "password"'


def _management(part: str, own: tuple[str, ...], metadata: str) -> list[Example]:
    """Both formats are managed alike. ``{declared}`` is an upstream that can be reached."""
    group = f"/groups/{{group}}/-/virtual_registries/{part}"
    root = f"/virtual_registries/{part}"
    url = f"https://registry.example.test/{part.rpartition('/')[2]}"
    return [
        Example(
            "POST",
            f"{group}/registries",
            201,
            f'{{"name": "my-virtual-registry", {_NEW}}}',
            fields=REGISTRY,
            told={"registry": "id"},
        ),
        Example(
            "POST",
            f"{group}/registries?name=by-query",
            201,
            fields=REGISTRY,
            told={"other": "id"},
        ),
        Example("GET", f"{group}/registries", fields=REGISTRY, listed=True),
        Example("GET", f"{root}/registries/{{registry}}", fields=(*REGISTRY, "registry_upstreams")),
        Example(
            "PATCH",
            f"{root}/registries/{{registry}}",
            data='{"name": "renamed", "description": "Another description"}',
        ),
        Example(
            "POST",
            f"{group}/upstreams/test",
            data=f'{{"url": "{url}", {_LOGIN}}}',
            fields=("success",),
        ),
        Example(
            "POST",
            f"{root}/registries/{{registry}}/upstreams",
            201,
            f'{{"url": "{url}", "name": "my upstream", "description": "Upstream", {_LOGIN}, '
            f'"cache_validity_hours": 48{metadata}}}',
            fields=own,
            within={"registry_upstream": PLACE_OF_UPSTREAM},
            told={"upstream": "id", "place": "registry_upstream.id"},
        ),
        Example(
            "POST",
            f"{root}/registries/{{registry}}/upstreams",
            201,
            f"url={url}/by-form&name=by-form",
            form=True,
            fields=own,
            told={"second": "id", "place_of_second": "registry_upstream.id"},
        ),
        Example("GET", f"{group}/upstreams", fields=own, listed=True, paged=True),
        Example(
            "GET",
            f"{group}/upstreams?upstream_name=my&page=1&per_page=20",
            fields=own,
            listed=True,
            paged=True,
        ),
        Example(
            "GET",
            f"{root}/registries/{{registry}}/upstreams",
            fields=own,
            within={"registry_upstream": PLACE_OF_UPSTREAM},
            listed=True,
        ),
        Example(
            "GET",
            f"{root}/upstreams/{{upstream}}",
            fields=own,
            within={"registry_upstreams": PLACE_OF_UPSTREAM},
        ),
        Example("PATCH", f"{root}/upstreams/{{upstream}}", data='{"cache_validity_hours": 72}'),
        Example(
            "POST",
            f"{root}/registry_upstreams",
            201,
            '{"registry_id": {other}, "upstream_id": {upstream}}',
            fields=ASSOCIATION,
            told={"association": "id"},
        ),
        Example("PATCH", f"{root}/registry_upstreams/{{place}}", data='{"position": 2}'),
        Example("GET", f"{root}/upstreams/{{upstream}}/test", fields=("success",)),
        Example("DELETE", f"{root}/registry_upstreams/{{association}}", 204),
    ]


def _entries(part: str, own: tuple[str, ...]) -> list[Example]:
    root = f"/virtual_registries/{part}"
    listing = f"{root}/upstreams/{{declared}}/cache_entries"
    return [
        Example(
            "GET",
            f"{listing}?search={{cached}}",
            fields=own,
            listed=True,
            paged=True,
            told={"entry": "0.id"},
        ),
        Example("DELETE", f"{root}/cache_entries/{{entry}}", 204),
    ]


def _end(part: str) -> list[Example]:
    root = f"/virtual_registries/{part}"
    return [
        Example("DELETE", f"{root}/upstreams/{{upstream}}/cache", 204),
        Example("DELETE", f"{root}/registries/{{registry}}/cache", 204),
        Example("DELETE", f"{root}/upstreams/{{upstream}}", 204),
        Example("DELETE", f"{root}/registries/{{registry}}", 204),
        Example("DELETE", f"{root}/registries/{{other}}", 204),
    ]


MAVEN = [
    *_management("packages/maven", MAVEN_UPSTREAM, ', "metadata_cache_validity_hours": 1'),
    *_entries("packages/maven", MAVEN_ENTRY),
    *_end("packages/maven"),
]
CONTAINER = [
    *_management("container", UPSTREAM, ""),
    *_entries("container", ENTRY),
    *_end("container"),
]
POLICIES = [
    Example(
        "POST",
        "/groups/{group}/-/virtual_registries/cleanup/policy",
        201,
        '{"enabled": true, "keep_n_days_after_download": 30, "cadence": 7}',
        fields=POLICY,
    ),
    Example("GET", "/groups/{group}/-/virtual_registries/cleanup/policy", fields=POLICY),
    Example(
        "PATCH",
        "/groups/{group}/-/virtual_registries/cleanup/policy",
        data='{"keep_n_days_after_download": 60}',
        fields=POLICY,
    ),
    Example("DELETE", "/groups/{group}/-/virtual_registries/cleanup/policy", 204),
]
