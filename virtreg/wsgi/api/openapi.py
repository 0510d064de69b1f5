"""The OpenAPI document, out of the very endpoints and classes that answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from virtreg.wsgi.api.endpoint import Answer, Endpoint
from virtreg.wsgi.api.failures import FAILURES, failures_of

ROOT: Final = "/api/v4"
PATH: Final = "/openapi.json"

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_REFERENCE: Final = "#/components/schemas/{name}"
_PAGES: Final[Mapping[str, str]] = {
    "X-Page": "Which page this is.",
    "X-Per-Page": "How many may be on it.",
    "X-Next-Page": "The number of the next page; empty on the last one.",
    "X-Prev-Page": "The number of the page before; empty on the first one.",
    "X-Total": "How many there are in all; missing where they are more than 10,000.",
    "X-Total-Pages": "How many pages there are; missing as X-Total is.",
    "Link": "The first, last, next and previous page (RFC 8288).",
}
_WAYS_IN: Final[Mapping[str, Any]] = {
    "PrivateToken": {"type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN"},
    "JobToken": {"type": "apiKey", "in": "header", "name": "JOB-TOKEN"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    "Basic": {"type": "http", "scheme": "basic"},
}


def endpoint_of(endpoints: Sequence[Endpoint], version: str) -> Endpoint:
    """The call that gives the document, in which it is listed itself."""

    @cache
    def content() -> msgspec.Raw:
        # Not before somebody asks: it takes longer than all else that is made at the start.
        return msgspec.Raw(msgspec.json.encode(document([*endpoints, itself], version)))

    itself = Endpoint(
        "GET",
        PATH,
        "This document",
        lambda _: Answer(content()),
        gives=dict[str, Any],
        action=None,
        documented=False,
    )
    return itself


def document(endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """OpenAPI 3.1. ``version`` is that of the program. Names of schemas are those of the classes:
    what is sent, what is shown and what is wrong. ``x-virtreg-action`` says what must be allowed,
    ``x-virtreg-own`` that GitLab has no such call."""
    listed = list(endpoints)
    types = [
        kind
        for endpoint in listed
        for kind in (endpoint.body, endpoint.gives, endpoint.instead)
        if kind is not None
    ]
    kinds = [*dict.fromkeys(types), *FAILURES]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, Any] = {}
    for endpoint in listed:
        operation = _operation(endpoint, schema_of, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "virtreg",
            "version": version,
            "description": "Manages virtual registries, as the API of GitLab does.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT}],
        "security": [{name: []} for name in _WAYS_IN],
        "tags": [{"name": tag} for tag in dict.fromkeys(map(_tag, listed))],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components)},
            "securitySchemes": dict(_WAYS_IN),
        },
    }


def _operation(
    endpoint: Endpoint, schema_of: Mapping[Any, Any], components: Mapping[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [_tag(endpoint)],
        "parameters": list(_parameters(endpoint)),
        "responses": _responses(endpoint, schema_of),
    }
    if endpoint.action is None:
        operation["security"] = []
    else:
        operation["x-virtreg-action"] = endpoint.action
    if not endpoint.documented:
        operation["x-virtreg-own"] = True
    if endpoint.body is not None:
        schema = dict(schema_of[endpoint.body])
        whole = components[endpoint.body.__name__]
        if endpoint.needs_any:
            schema = {**schema, "anyOf": [{"required": [name]} for name in whole["properties"]]}
        operation["requestBody"] = {
            "required": bool(whole.get("required")) or endpoint.needs_any,
            "content": {kind: {"schema": schema} for kind in _media_types(whole)},
        }
    return operation


def _media_types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """A form has room for what is no list."""
    nested = any(each.get("type") == "array" for each in schema["properties"].values())
    return (_JSON,) if nested else (_JSON, _FORM)


def _parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for name in endpoint.pattern.groupindex:
        yield {"name": name, "in": "path", "required": True, "schema": _place(name)}
    if endpoint.query is not None:
        _, components = msgspec.json.schema_components([endpoint.query])
        schema = components[endpoint.query.__name__]
        for name, kind in schema["properties"].items():
            description = {"description": kind["description"]} if "description" in kind else {}
            yield {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                **description,
                "schema": {key: value for key, value in kind.items() if key != "description"},
            }
    if endpoint.heeds_unmodified:
        yield {
            "name": "If-Unmodified-Since",
            "in": "header",
            "required": False,
            "description": "An HTTP date: only what has not changed since is changed.",
            "schema": {"type": "string"},
        }


def _place(name: str) -> dict[str, Any]:
    if name.endswith("id"):
        return {"type": "integer", "minimum": 1, "maximum": 10**15 - 1}
    if name == "group":
        return {"type": "string", "minLength": 1, "description": "The number or name of a group."}
    return {"type": "string", "minLength": 1}


def _responses(endpoint: Endpoint, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done." if endpoint.status == 204 else "As asked for."}
    if endpoint.gives is not None:
        good["content"] = {_JSON: {"schema": schema_of[endpoint.gives]}}
    if endpoint.paged:
        good["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in _PAGES.items()
        }
    found: dict[str, Any] = {str(endpoint.status): good}
    if endpoint.instead is not None:
        content = {_JSON: {"schema": schema_of[endpoint.instead]}}
        found["200"] = {"description": "Nothing was done: a trial.", "content": content}
    for status, description, kinds in failures_of(endpoint):
        every = [schema_of[kind] for kind in kinds]
        schema = every[0] if len(every) == 1 else {"anyOf": every}
        found[str(status)] = {"description": description, "content": {_JSON: {"schema": schema}}}
    return found


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"[a-z_]+|\{\w+\}", endpoint.path)
    told = "_".join(word.strip("{}") for word in words)
    return f"{endpoint.method.lower()}_{told}"


def _tag(endpoint: Endpoint) -> str:
    words = [word for word in endpoint.path.split("/") if word and "{" not in word and word != "-"]
    for word in ("maven", "container"):
        if word in words:
            return f"{word} {words[words.index(word) + 1]}".replace("_", " ")
    return "groups" if "groups" in words else "server"
