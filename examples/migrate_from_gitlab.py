"""Copy virtual registries, their upstreams and the order of these from a group in GitLab to a
group of a server like it, by the API that both have.

    OLD_TOKEN=... NEW_TOKEN=... python migrate_from_gitlab.py OLD_URL OLD_GROUP NEW_URL NEW_GROUP

What is there by its name is left as it is, so that it can be run again. Passwords are never shown
by the API: upstreams with a login are made without one, and named at the end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import gitlab
from gitlab.exceptions import GitlabHttpError

PARTS = ("packages/maven", "container")
FIELDS = (
    *("url", "name", "description"),
    *("cache_validity_hours", "metadata_cache_validity_hours"),
)

Thing = dict[str, Any]


def copy(old: gitlab.Gitlab, old_group: str, new: gitlab.Gitlab, new_group: str) -> Iterator[str]:
    """Copy all there is, and tell line by line what was done and what was not."""
    for part in PARTS:
        yield from _copy_part(
            old, _of_group(old_group, part), new, _of_group(new_group, part), part
        )


def _of_group(group: str, part: str) -> str:
    name = gitlab.utils.EncodedId(group)
    return f"/groups/{name}/-/virtual_registries/{part}"


def _copy_part(
    old: gitlab.Gitlab, old_path: str, new: gitlab.Gitlab, new_path: str, part: str
) -> Iterator[str]:
    try:
        registries = _all(old, f"{old_path}/registries")
    except GitlabHttpError as error:
        if error.response_code != 404:
            raise
        yield f"{part}: the old server has no such registries"
        return
    there = {each["name"]: each for each in _all(new, f"{new_path}/registries")}
    # Upstreams that are shared are made once.
    copies: dict[int, int] = {}
    for registry in registries:
        name = registry["name"]
        if name in there:
            yield f"{part}: registry {name!r} is there already, and left as it is"
            continue
        fields = {"name": name, "description": registry["description"] or ""}
        made = _post(new, f"{new_path}/registries", fields)
        yield f"{part}: registry {name!r} was {registry['id']}, and is {made['id']}"
        root = f"/virtual_registries/{part}"
        for upstream in _all(old, f"{root}/registries/{registry['id']}/upstreams"):
            yield f"{part}: {_copy_upstream(new, root, made['id'], upstream, copies)}"


def _copy_upstream(
    new: gitlab.Gitlab, root: str, registry: int, upstream: Thing, copies: dict[int, int]
) -> str:
    name = upstream["name"]
    known = copies.get(upstream["id"])
    try:
        if known is not None:
            link = {"registry_id": registry, "upstream_id": known}
            _post(new, f"{root}/registry_upstreams", link)
            return f"upstream {name!r} is shared"
        fields = {field: upstream[field] for field in FIELDS if upstream.get(field) is not None}
        made = _post(new, f"{root}/registries/{registry}/upstreams", fields)
    except GitlabHttpError as error:
        if error.response_code != 400:
            raise
        return f"upstream {name!r} is NOT copied: {error.error_message}"
    copies[upstream["id"]] = made["id"]
    if upstream.get("username"):
        login = f"it signs in as {upstream['username']!r}"
        return f"upstream {name!r} is copied WITHOUT its login: {login}"
    return f"upstream {name!r} is copied"


def _all(client: gitlab.Gitlab, path: str) -> list[Thing]:
    return list(client.http_list(path, iterator=True))


def _post(client: gitlab.Gitlab, path: str, fields: Thing) -> Thing:
    made = client.http_post(path, post_data=fields)
    assert isinstance(made, dict)
    return made


def main() -> None:
    old_url, old_group, new_url, new_group = sys.argv[1:]
    with (
        gitlab.Gitlab(old_url, private_token=os.environ["OLD_TOKEN"]) as old,
        gitlab.Gitlab(new_url, private_token=os.environ["NEW_TOKEN"]) as new,
    ):
        for line in copy(old, old_group, new, new_group):
            print(line)


if __name__ == "__main__":
    main()
