"""A cattrs converter that takes TOML values for what they are, and its failures as problems.

Nothing is coerced: ``"5"`` is not 5, ``5`` is not ``"5"``, ``"false"`` and 0 are not False. Only a
whole number may stand where a fraction is allowed.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
from cattrs import BaseConverter, ClassValidationError, Converter, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

T = TypeVar("T")
A = TypeVar("A", bound=attrs.AttrsInstance)
V = TypeVar("V")
Hook = Callable[[Any, Any], Any]

_PATH = re.compile(r"""([\w.-]|\[\d+\]|"([^"\\]|\\.)*")+""", re.ASCII)

_KINDS: dict[type, str] = {
    bool: "true or false",
    dict: "a table",
    float: "a number",
    int: "a whole number",
    list: "a list",
    str: "text",
}


class Problems(Exception):
    """What is wrong with a value: ``(path below it, reason)`` each, in the file's order."""

    def __init__(self, found: Iterable[tuple[str, str]]) -> None:
        self.found = tuple(found)
        super().__init__(self.found)


_WRONG = (Problems, ValueError, KeyError, ForbiddenExtraKeysError, ClassValidationError)


def expect(kind: type[V], value: object) -> V:
    """``value`` when it is of this TOML kind; ValueError names both kinds, never the value."""
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        there = _KINDS.get(type(value), "a date or a time")
        raise ValueError(f"must be {_KINDS[kind]}, not {there}")
    return value


def checked(kind: type[V], check: Callable[[V], Any]) -> Hook:
    """A structure hook: first the kind, then the check."""
    return lambda value, _: check(expect(kind, value))


def listed(check: Callable[[str], Any]) -> Hook:
    """A structure hook for a list of texts, each checked on its own."""

    def one(item: object) -> Any:
        return check(expect(str, item))

    return lambda value, _: items(value, one)


def items(value: object, one: Callable[[Any], T]) -> tuple[T, ...]:
    """Every element of a list, taken by ``one``."""
    places = enumerate(expect(list, value), 1)
    return each((f"[{place}]", partial(one, item)) for place, item in places)


def each(attempts: Iterable[tuple[str, Callable[[], T]]]) -> tuple[T, ...]:
    """Every result, or Problems with the reasons of all that failed, under their paths."""
    results: list[T] = []
    found: list[tuple[str, str]] = []
    for path, attempt in attempts:
        try:
            results.append(attempt())
        except _WRONG as error:
            found.extend(problems(error, path))
    if found:
        raise Problems(found)
    return tuple(results)


def table(
    converter: Converter,
    kind: type[A],
    hooks: Mapping[str, Hook],
    check: Callable[[dict[str, Any]], Iterable[tuple[str, str]]] = lambda _: (),
) -> Callable[[Any, Any], A]:
    """A structure hook for a TOML table whose keys have hooks of their own.

    ``check`` sees the table whole and yields further problems.
    """
    overrides: dict[str, Any] = {key: override(struct_hook=hook) for key, hook in hooks.items()}
    overrides |= {
        each.name: override(omit=True) for each in attrs.fields(kind) if not _is_key(each)
    }
    inner = make_dict_structure_fn(kind, converter, **overrides)

    def structure(value: Any, _: Any) -> A:
        content = expect(dict, value)
        found = list(check(content))
        try:
            result = inner(content, kind)
        except _WRONG as error:
            found = [*problems(error), *found]
        if found:
            raise Problems(found)
        return result

    return structure


def converter() -> Converter:
    """A strict converter for scalars and literals; tables are added with :func:`table`."""
    strict = Converter(forbid_extra_keys=True)
    for kind in (str, int, float, bool):
        strict.register_structure_hook(kind, checked(kind, _itself))
    strict.register_structure_hook_factory(_is_literal, _one_of)
    return strict


def _itself(value: V) -> V:
    return value


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _one_of(kind: Any, _: BaseConverter) -> Hook:
    words = get_args(kind)

    def structure(value: object, _: object) -> str:
        if expect(str, value) not in words:
            raise ValueError("must be " + " or ".join(f'"{word}"' for word in words))
        return str(value)

    return structure


def problems(error: Exception, path: str = "") -> Iterator[tuple[str, str]]:
    """``(path, reason)`` of everything an attempt to structure found wrong.

    Raises the error itself when it is not about the value.
    """
    if isinstance(error, Problems):
        for below, reason in error.found:
            yield join(path, below), reason
    elif isinstance(error, ClassValidationError):
        noted, plain = error.group_exceptions()
        for inner, note in noted:
            yield from problems(inner, join(path, note.name))
        for inner in plain:
            yield from problems(inner, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl) if _is_key(field)]
        for key in sorted(error.extra_fields):
            yield join(path, key), f"unknown key; {nearest(key, known)}"
    elif isinstance(error, KeyError):
        yield path, "is missing"
    elif isinstance(error, ValueError):
        yield path, str(error)
    else:
        raise error


def _is_key(field: attrs.Attribute[Any]) -> bool:
    return field.metadata.get("configured", True) is not False


def join(path: str, below: str) -> str:
    """The path of a value below another; quotes what a TOML key would have to quote."""
    if below and not _PATH.fullmatch(below):
        below = json.dumps(below)
    return path + below if not path or not below or below[0] == "[" else f"{path}.{below}"


def nearest(word: str, known: Sequence[str]) -> str:
    """The end of a message about a word that is not known."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return "known: " + (", ".join(known) or "none")
