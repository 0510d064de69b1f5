"""What schemathesis checks besides its own: loaded by it as its hooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, Response

PATHS = re.compile(r"paths?(\[\d+\])?\b")
"""The grammar of files' paths is that of their format, which no schema has."""

_WHOLES = {
    *("body", "group", "If-Unmodified-Since"),
    # As GitLab tells what the catalog has already, or has no room for.
    *("group_id", "registry_upstreams"),
}


@schemathesis.check
def refusals_name_what_is_wrong(
    ctx: CheckContext, response: Response, case: Case[Any]
) -> bool | None:
    """Every 400 names a parameter, or the body as a whole."""
    if response.status_code != 400:
        return None
    told = response.json()
    named = list(_named(told))
    known = {*_parameters(case), *_WHOLES}
    assert named, f"names nothing: {told}"
    strange = [name for name in named if re.split(r"[\[.]", name)[0] not in known]
    assert not strange, f"names {strange}: {told}"
    return None


@schemathesis.check
def what_the_document_allows_has_the_right_form(
    ctx: CheckContext, response: Response, case: Case[Any]
) -> bool | None:
    """What is of the schema is refused only for what it means: by a message for its fields."""
    mode = None if case.meta is None else case.meta.generation.mode
    if response.status_code != 400 or mode is not GenerationMode.POSITIVE:
        return None
    told = response.json()
    if "error" in told:
        assert PATHS.match(told["error"]), f"the schema allows what is refused: {told}"
    return None


def _named(told: dict[str, Any]) -> Iterator[str]:
    if "error" in told:
        for problem in re.split(r", (?=\S+ (?:is|are|does) )", told["error"]):
            yield problem.split(" ")[0].rstrip(",")
    elif isinstance(told["message"], dict):
        yield from told["message"]
    else:
        found = re.match(r"400 Bad request - ([\w-]+):? ", told["message"])
        yield from [found[1]] if found else []


def _parameters(case: Case[Any]) -> Iterator[str]:
    operation = case.operation
    for each in operation.iter_parameters():
        yield each.name
    for body in operation.body:
        schema = body.optimized_schema
        if isinstance(schema, dict):
            # What is referred to is in the schema itself.
            for each in (schema, *schema.get("x-bundled", {}).values()):
                yield from each.get("properties", {})
