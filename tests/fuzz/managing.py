"""The management API over a small site: requests as servers hand them on, whatever they hold."""

from __future__ import annotations

import atexit
import importlib
import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from attrs import define, evolve, field

from tests.service.hub import entry_of
from tests.wsgi.api.desks import CONTAINER, MAVEN, Desk, opened
from virtreg.core.httpdate import parse_http_date
from virtreg.core.layout import blob_key
from virtreg.errors import Invalid
from virtreg.wsgi.api.application import ROOT
from virtreg.wsgi.api.endpoint import Endpoint
from virtreg.wsgi.api.failures import failures_of
from virtreg.wsgi.api.offer import every_endpoint
from virtreg.wsgi.api.parameters import from_body, one_of
from virtreg.wsgi.api.problems import BadParameters

_PASSWORD: Final = "kept-from-everybody"
_OURS: Final = "seen-by-ours-alone"
_MEMBERS: Final = frozenset({"guest", "reader", "developer", "robot", "maintainer", "owner"})
_KNOWING: Final = _MEMBERS | {"administrator"}
_MOST_CHANGES: Final = 40
_MOST_SECONDS: Final = 2.0
_PLACES: Final = frozenset({"body", "query", "Content-Length", "group", "group_id"})
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NAMED: Final = re.compile(r"[A-Za-z_-]+")
_SCHEMAS: Final[Any] = importlib.import_module("jsonschema")
"""Without types."""
_BODIES: Final = msgspec.json.Decoder(dict[str, Any])


@define(eq=False)
class _Site:
    """A registry of each format with an upstream each, of which one has a file in the cache; made
    anew when much of it has changed."""

    stack: ExitStack = field(factory=ExitStack)
    desk: Desk | None = None
    changes: int = 0

    def __attrs_post_init__(self) -> None:
        atexit.register(self.stack.close)

    def open(self) -> Desk:
        if self.desk is None or self.changes > _MOST_CHANGES:
            self.stack.close()
            folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-")))
            self.desk = self.stack.enter_context(opened(folder / "data"))
            self.changes = 0
            _furnish(self.desk)
        return self.desk


_SITE: Final = _Site()


def _furnish(desk: Desk) -> None:
    policy = {"enabled": True, "keep_bytes": 2**63 - 1}
    desk.ask("POST", "/groups/ours/-/virtual_registries/cleanup/policy", "owner", policy).made()
    for part, path in ((MAVEN, "org/a/1/a-1.pom"), (CONTAINER, "library/a/manifests/1")):
        registry = desk.registry(_OURS, part)
        login = {"username": _OURS, "password": _PASSWORD, "cache_validity_hours": 2**31 - 1}
        upstream = desk.upstream(registry, _OURS, part, **login)
        rule = {"rule_type": "deny", "pattern": "evil*", "pattern_type": "regex"}
        rule["target_coordinate"] = "version" if part == MAVEN else "tag"
        rules = f"/virtual_registries/{part}/upstreams/{upstream['id']}/rules"
        desk.ask("POST", rules, "owner", rule).made()
        found = desk.catalog.upstream(upstream["id"])
        assert found is not None
        entry = entry_of(found.spec.key, path, b"<project/>", at=desk.clock())
        desk.parts.store.put(blob_key(entry.sha256), b"<project/>")
        desk.index.put([evolve(entry, etag=f'"{_OURS}"')])


def management(noise: bytes) -> None:
    """A request: ``METHOD path?query who``, with the path and query as they are sent, lines of
    header fields, an empty line, and the body."""
    head, _, body = noise.partition(b"\n\n")
    line, *fields = head.decode("latin-1").split("\n")
    method, _, rest = line.partition(" ")
    target, _, who = rest.partition(" ")
    if method not in _METHODS:
        return
    desk = _SITE.open()
    environ = _environ(desk, method, target, who, fields, body)
    started = time.thread_time()
    status, headers, content = desk.api.answer(environ)
    assert time.thread_time() - started < _MOST_SECONDS
    if 200 <= status < 300 and method not in ("GET", "HEAD", "OPTIONS"):
        site, host = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_HOST")
        assert site in (None, "same-origin", "none")
        assert site or "HTTP_ORIGIN" not in environ or host in environ["HTTP_ORIGIN"]
        _SITE.changes += 1 + (method == "DELETE") * _MOST_CHANGES
    _check(desk, environ, (status, dict(headers), content))
    assert _PASSWORD.encode() not in content
    for name, value in headers:
        assert value.isprintable(), name
        assert _PASSWORD not in value
    if who not in _KNOWING and _OURS.encode() not in noise:
        assert _OURS.encode() not in content


def _environ(
    desk: Desk, method: str, target: str, who: str, fields: list[str], body: bytes
) -> dict[str, Any]:
    """As servers make one (PEP 3333): no control characters but in the path."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": ROOT + unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": "".join(letter for letter in query if letter.isprintable()),
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "https",
        "SERVER_NAME": "registry.example",
        "SERVER_PORT": "443",
    }
    if who in desk.tokens:
        environ["HTTP_PRIVATE_TOKEN"] = desk.tokens[who]
    for text in fields:
        name, colon, value = text.partition(":")
        if colon and _TOKEN.fullmatch(name) and "_" not in name:
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = "".join(each for each in value.strip() if each.isprintable())
    return environ


def _check(
    desk: Desk, environ: Mapping[str, Any], answer: tuple[int, dict[str, str], bytes]
) -> None:
    status, headers, content = answer
    assert status != 500
    if status == 204:
        assert content == b""
        return
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(content))
    endpoint, path = _endpoint(desk, environ)
    if endpoint is None:
        assert status in (404, 405, 414, 431)
        return
    kinds = {found: every for found, _, every in failures_of(endpoint)}
    if status == 405:
        assert environ["REQUEST_METHOD"] not in headers["Allow"].split(", ")
    elif status in kinds:
        _failure(kinds[status], content)
        if status == 400:
            _names_a_field(endpoint, path, json.loads(content))
    else:
        assert status in (endpoint.status, 200 if endpoint.instead else None)
        gives = endpoint.gives if status == endpoint.status else endpoint.instead
        msgspec.json.decode(content, type=gives)


def _endpoint(desk: Desk, environ: Mapping[str, Any]) -> tuple[Endpoint | None, dict[str, str]]:
    try:
        below = environ["PATH_INFO"].encode("latin-1").decode().removeprefix(ROOT)
    except UnicodeError:
        return None, {}
    method = environ["REQUEST_METHOD"].replace("HEAD", "GET")
    for endpoint in _endpoints(desk):
        found = endpoint.pattern.fullmatch(below)
        if found is not None and endpoint.method == method:
            return endpoint, found.groupdict()
    return None, {}


@cache
def _endpoints(desk: Desk) -> list[Endpoint]:
    return every_endpoint(desk.parts)


def _failure(kinds: tuple[type[msgspec.Struct], ...], content: bytes) -> None:
    """Raises ValidationError for what none of the documented bodies is."""
    for kind in kinds[:-1]:
        with suppress(msgspec.ValidationError):
            msgspec.json.decode(content, type=kind)
            return
    msgspec.json.decode(content, type=kinds[-1])


def _names_a_field(endpoint: Endpoint, path: Mapping[str, str], told: dict[str, Any]) -> None:
    known = {*_PLACES, *path}
    for kind in (endpoint.query, endpoint.body):
        if kind is not None:
            known |= {each.encode_name for each in msgspec.structs.fields(kind)}
    message = told.get("error") or told["message"]
    if isinstance(message, dict):
        assert all(texts and all(texts) for texts in message.values())
    names = message if isinstance(message, dict) else [message.removeprefix("400 Bad request - ")]
    for name in names:
        found = _NAMED.match(name)
        assert found is not None, message
        assert found[0] in known, message


def body_schema(noise: bytes) -> None:
    """A byte that says of which call, and JSON, or bytes that choose what is sent in each field:
    what the document allows is taken, and nothing else."""
    calls = _calls()
    which, content = noise[:1], noise[1:]
    if not which:
        return
    endpoint, validator = calls[which[0] % len(calls)]
    assert endpoint.body is not None
    try:
        sent = _BODIES.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        names = (each.encode_name for each in msgspec.structs.fields(endpoint.body))
        sent = {
            name: _VALUES[which]
            for name, which in zip(names, content, strict=False)
            if which < len(_VALUES)
        }
        content = json.dumps(sent).encode()
    if not _exact(sent):
        return
    allowed = validator.is_valid(sent)
    environ = {
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": BytesIO(content),
    }
    try:
        found = from_body(endpoint.body, environ)
        if endpoint.needs_any:
            one_of(found)
    except (BadParameters, Invalid):
        assert not allowed
    else:
        assert allowed


_TEXTS: Final = (
    *("", " ", "a", "a:b", "a\n", "\n", "\u2028", "\x85", "\x7f", "\u00a0", 255 * "\U0001f600"),
    *(256 * "a", 511 * "a", 1024 * "a", 1025 * "a", "true", "1", "null", "-1", "1.5", "1e3"),
    *("https://a.example", "HTTPS://b", "http://", " http://a", "https://a\n", "ftp://a", "*"),
    *("cached", "strict", "stop", "keep", "drop", "error", "absent", "evict", "stream", "deny"),
    *("allow", "regex", "wildcard", "version", "group_id", "tag", "image", "continue"),
)
_NUMBERS: Final = (
    *(0, 1, 2, 5, 7, 14, 20, 21, 30, 90, 365, 366, 1000, 1001, 3600, 3601, 2**31 - 1, 2**31, -1),
    *(0.0, -0.0, 1.0, 7.0, 0.5, 1e-300, 20.0, 3600.0, 3600.5, 10**15, 10**15 - 1, 2**53 - 1),
)
_OWNED: Final = {"target_coordinate": "version", "pattern": "a", "upstream_ids": [1]}
_VALUES: Final[tuple[Any, ...]] = (
    *(*_TEXTS, *_NUMBERS, None, True, False, [], {}, [[]], ["a"], [1], ["a", ""], 100 * ["a"]),
    *(101 * ["a"], [_OWNED], [_OWNED, {}], [{**_OWNED, "upstream_ids": []}], {"a": None}),
    *([{**_OWNED, "upstream_ids": [1.0]}], [{**_OWNED, "target_coordinate": "image"}]),
    *([{**_OWNED, "pattern": ""}], [{**_OWNED, "pattern_type": None}], 101 * [_OWNED]),
)


def _exact(value: object) -> bool:
    """Whether all numbers are what every reader takes them for."""
    match value:
        case bool():
            return True
        case int() | float():
            return abs(value) < 2**53
        case dict():
            return all(map(_exact, value.values()))
        case list():
            return all(map(_exact, value))
    return True


@cache
def _calls() -> tuple[tuple[Endpoint, Any], ...]:
    """Those that take a body, in order, by what the document says of it."""
    desk = _SITE.open()
    document = desk.ask("GET", "/openapi.json").json
    return tuple(_validators(_endpoints(desk), document))


def _validators(
    endpoints: list[Endpoint], document: Mapping[str, Any]
) -> Iterator[tuple[Endpoint, Any]]:
    for endpoint in endpoints:
        if endpoint.body is not None:
            operation = document["paths"][endpoint.path][endpoint.method.lower()]
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            whole = {**schema, "components": document["components"]}
            yield endpoint, _SCHEMAS.Draft202012Validator(whole)


def unmodified(noise: bytes) -> None:
    """A registry is changed unless it was changed since."""
    desk = _SITE.open()
    since = "".join(each for each in noise.decode("latin-1") if each.isprintable())
    listed = desk.catalog.registries_of("ours", "maven")
    if not listed:
        return
    before = listed[0]
    path = f"/virtual_registries/{MAVEN}/registries/{before.spec.id}"
    head = [f"If-Unmodified-Since: {since}", "Content-Type: application/json"]
    body = b'{"description": "fuzzed"}'
    environ = _environ(desk, "PATCH", path, "owner", head, body)
    status, _, _ = desk.api.answer(environ)
    date = parse_http_date(since)
    assert status == (412 if date is not None and date < int(before.updated_at) else 200)
