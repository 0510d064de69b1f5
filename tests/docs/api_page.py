"""The page of the reference that is made of the OpenAPI document, but for its beginning:
``python -m tests.docs.api_page`` writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen

from tests.docs.running import ROOT
from tests.wsgi.api.desks import opened

PAGE = ROOT / "docs" / "reference" / "api.md"

_TITLES = {
    "registries": "Registries",
    "upstreams": "Upstreams",
    "local": "Local upstreams",
    "registry upstreams": "Order of upstreams",
    "cache entries": "Cache entries",
    "upstream rules": "Rules",
    "groups": "Groups",
    "server": "Server",
}


@frozen
class Operation:
    """One call, of both formats where both have it."""

    method: str
    path: str
    described: Mapping[str, Any]
    also: Mapping[str, Any] | None = None
    """The same of container images, where it differs in what is sent."""

    @property
    def section(self) -> str:
        tag: str = self.described["tags"][0]
        return _TITLES.get(re.sub("^(maven|container) ", "", tag), tag.capitalize())


def render() -> str:
    """What stands on the page from the first section of calls on."""
    with TemporaryDirectory() as folder, opened(Path(folder) / "desk") as desk:
        document = desk.ask("GET", "/openapi.json", "nobody").json
    found = sorted(_operations(document), key=lambda one: [*_TITLES.values()].index(one.section))
    lines: list[str] = []
    for section, several in groupby(found, lambda one: one.section):
        lines += [f"## {section}\n", "| call | | needs | takes | gives |", "|---|---|---|---|---|"]
        lines += [_row(one) for one in several]
        lines.append("")
    schemas = document["components"]["schemas"]
    taken = _taken(document)
    lines.append("## Fields\n")
    for name in sorted(schemas):
        if "properties" in schemas[name]:
            lines += [*_fields(name, schemas[name], required=name in taken), ""]
    return "\n".join(lines)


def split(page: str) -> tuple[str, str]:
    """What is written by hand, and what is not."""
    at = page.index(f"## {next(iter(_TITLES.values()))}\n")
    return page[:at], page[at:]


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Those of images stand with those of Maven files."""
    paths = document["paths"]
    for path, methods in paths.items():
        images = path.replace("/packages/maven", "/container")
        for method, described in methods.items():
            if "/container/" in path and path.replace("/container", "/packages/maven") in paths:
                continue
            also = paths.get(images, {}).get(method) if images != path else None
            shared = path.replace("packages/maven", "{part}") if also else path
            yield Operation(method.upper(), shared, described, also)


def _row(one: Operation) -> str:
    described = one.described
    summary = (
        described["summary"].replace("Maven ", "").replace(" a up", " an up")
        if one.also
        else described["summary"]
    )
    own = " +" if described.get("x-virtreg-own") else ""
    needs = described.get("x-virtreg-action")
    takes = [_body(described), _body(one.also) if one.also else "", *_query(described)]
    needed = f"`{needs}`" if needs else "nothing"
    return (
        f"| `{one.method} {one.path}`{own} | {summary} | {needed} | "
        f"{', '.join(dict.fromkeys(filter(None, takes)))} | {_gives(described)} |"
    )


def _body(described: Mapping[str, Any]) -> str:
    content = described.get("requestBody", {}).get("content", {})
    return _type(content["application/json"]["schema"]) if content else ""


def _query(described: Mapping[str, Any]) -> Iterator[str]:
    for each in described["parameters"]:
        if each["in"] == "query" and each["name"] not in ("page", "per_page"):
            yield f"`?{each['name']}`"


def _gives(described: Mapping[str, Any]) -> str:
    good = sorted((status, of) for status, of in described["responses"].items() if status < "3")
    told = []
    for status, answer in good:
        content = answer.get("content", {}).get("application/json")
        what = f" {_type(content['schema'])}" if content else ""
        pages = ", pages" if "headers" in answer else ""
        told.append(f"{status}{what}{pages}")
    return "; ".join(told)


def _taken(document: Mapping[str, Any]) -> set[str]:
    """Names of the schemas of what is sent."""
    bodies = [one.get("requestBody") for of in document["paths"].values() for one in of.values()]
    names: set[str] = set()
    found = _references(bodies)
    while found:
        names |= found
        schemas = [document["components"]["schemas"][name] for name in found]
        found = _references(schemas) - names
    return names


def _references(found: object) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(found)))


def _fields(name: str, schema: Mapping[str, Any], *, required: bool) -> Iterator[str]:
    yield f"### {name}\n"
    yield "| field | | |"
    yield "|---|---|---|"
    needed = schema.get("required", ()) if required else ()
    for field, kind in schema["properties"].items():
        mark = ", required" if field in needed else ""
        described = kind.get("description", "")
        yield f"| `{field}` | {_type(kind)}{mark} | {described} |"


def _type(kind: Mapping[str, Any]) -> str:
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in kind and "type" not in kind:
        return " or ".join(_type(each) for each in kind["anyOf"])
    if "enum" in kind:
        return ", ".join(f"`{each}`" for each in kind["enum"])
    match kind.get("type"):
        case "array":
            return f"list of {_type(kind['items'])}"
        case "object" if isinstance(kind.get("additionalProperties"), dict):
            return f"by name: {_type(kind['additionalProperties'])}"
        case "object":
            return "object"
        case "string" if kind.get("format") == "date-time":
            return "moment"
    return f"{kind.get('type', 'anything')}{_limits(kind)}"


def _limits(kind: Mapping[str, Any]) -> str:
    least, most = kind.get("minimum"), kind.get("maximum")
    if "exclusiveMinimum" in kind:
        return f" over {kind['exclusiveMinimum']}, at most {most}"
    # What fits into what keeps it is no limit that anybody meets.
    if most is not None and most < 10**9:
        return f" from {least} to {most}"
    if least is not None:
        return f" from {least}"
    if "maxLength" in kind:
        return f", at most {kind['maxLength']} characters"
    return ""


if __name__ == "__main__":
    PAGE.write_text(split(PAGE.read_text())[0] + render())
