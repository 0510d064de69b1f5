"""Parameters of a call: from JSON, a form or a query to one value of a class that says what they
must be, or to one error that names every one that is wrong: BadParameters for what is missing or
of another kind, and where all is of its kind, Invalid for what is too long.

The classes are :class:`msgspec.Struct`; the same ones make the OpenAPI document. A field without a
default must be there; one that is UNSET by default may be missing, which is not the same as null.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from virtreg.errors import Invalid, InvalidRequest
from virtreg.wsgi.api.problems import BadParameters
from virtreg.wsgi.forms import (
    ContentTooLarge,
    Fields,
    LengthRequired,
    UnsupportedMediaType,
    form_fields,
    query_fields,
)

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Parameters = TypeVar("Parameters", bound=msgspec.Struct)

_MOST_BYTES = 256 * 1024
_FORM = "application/x-www-form-urlencoded"
_EXACT = 2**53
"""Beyond it, not every integer is a number of JSON as most programs read it (RFC 8259, 6)."""


def from_query(kind: type[Parameters], environ: WSGIEnvironment) -> Parameters:
    """Raises BadParameters, Invalid and InvalidRequest."""
    return _parsed(kind, _last(query_fields(environ)), text=True)


def from_body(kind: type[Parameters], environ: WSGIEnvironment) -> Parameters:
    """Of JSON or of a form; without a body, of the query. Raises BadParameters, Invalid,
    InvalidRequest, ContentTooLarge, LengthRequired and UnsupportedMediaType."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type == _FORM:
        return _parsed(kind, _last(form_fields(environ)), text=True)
    content = _content(environ)
    if not content:
        return from_query(kind, environ)
    if media_type != "application/json":
        raise UnsupportedMediaType(f"the body must be application/json or {_FORM}")
    try:
        values = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # Of what is no JSON nothing is quoted: it may hold a password.
        raise InvalidRequest("body: is not JSON") from None
    if not isinstance(values, dict):
        raise InvalidRequest("body: must be a JSON object")
    return _parsed(kind, values, text=False)


def one_of(parameters: msgspec.Struct, *names: str) -> None:
    """Raises BadParameters unless one of the fields is there; without names, any."""
    names = names or parameters.__struct_fields__
    if all(getattr(parameters, name) is msgspec.UNSET for name in names):
        what = "are missing" if len(names) > 1 else "is missing"
        text = f"{what}, at least one parameter must be provided"
        raise BadParameters({", ".join(names): text}, {})


def given(parameters: msgspec.Struct) -> dict[str, Any]:
    """The fields that are there."""
    pairs = ((name, getattr(parameters, name)) for name in parameters.__struct_fields__)
    return {name: value for name, value in pairs if value is not msgspec.UNSET}


def _parsed(kind: type[Parameters], values: Mapping[str, object], *, text: bool) -> Parameters:
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    details: dict[str, str] = {}
    too_long: dict[str, list[str]] = {}
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        if name not in values:
            if field.required:
                problems[name] = "is missing"
            continue
        value = values[name]
        longest = _longest(field.type)
        if isinstance(value, str) and longest is not None and len(value) > longest:
            too_long[name] = [f"is too long (maximum is {longest} characters)"]
            continue
        try:
            taken = value if text else _whole(value)
            found[field.name] = msgspec.convert(taken, field.type, strict=not text)
        except (msgspec.ValidationError, RecursionError) as error:
            empty = value is None or (isinstance(value, str) and not value.strip())
            problems[name] = "is empty" if empty else _problem(field.type)
            details[name] = str(error)
    if problems:
        raise BadParameters(problems, details)
    if too_long:
        raise Invalid(too_long)
    return kind(**found)


def _whole(value: object) -> object:
    """With 20 for 20.0, wherever it stands: to JSON Schema both are integers."""
    match value:
        case float() if value.is_integer() and abs(value) < _EXACT:
            return int(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {name: _whole(each) for name, each in value.items()}
    return value


@cache
def _choices(kind: Any) -> tuple[Mapping[str, Any], ...]:
    """The JSON Schemas of what a field may be."""
    schema = msgspec.json.schema(kind)
    return (schema, *schema.get("anyOf", ()))


def _longest(kind: Any) -> int | None:
    return next((each["maxLength"] for each in _choices(kind) if "maxLength" in each), None)


def _problem(kind: Any) -> str:
    """As GitLab words it: values out of a list or a range are not the same as those of another
    kind."""
    limits = {"enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    limited = any(limits & set(each) for each in _choices(kind))
    return "does not have a valid value" if limited else "is invalid"


def _last(fields: Fields) -> dict[str, object]:
    return {name: values[-1] for name, values in fields.items()}


def _content(environ: WSGIEnvironment) -> bytes:
    told = environ.get("CONTENT_LENGTH") or ""
    if told and not (told.isascii() and told.isdecimal()):
        raise InvalidRequest("Content-Length: is no number")
    if not told:
        if environ.get("wsgi.input_terminated"):
            told = str(_MOST_BYTES + 1)
        elif environ.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequired("the body must come with its length")
        else:
            return b""
    length = int(told) if len(told) <= 9 else _MOST_BYTES + 2
    if length > _MOST_BYTES + 1:
        raise ContentTooLarge(f"the body may have {_MOST_BYTES} bytes")
    body: bytes = environ["wsgi.input"].read(length)
    if len(body) > _MOST_BYTES:
        raise ContentTooLarge(f"the body may have {_MOST_BYTES} bytes")
    return body
