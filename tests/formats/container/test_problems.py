"""Errors as container clients read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from virtreg.errors import (
    Barred,
    ConfigError,
    EgressRefused,
    Forbidden,
    IntegrityError,
    InvalidRequest,
    NotFound,
    Offline,
    StorageError,
    Unauthenticated,
    UpstreamBusy,
    UpstreamDenied,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
    VirtregError,
)
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.container.names import DigestInvalid, NameInvalid
from virtreg.model import Answered

container = ContainerFormat()


class ReadOnly(VirtregError):
    """As the server's edge raises for a method that is not served."""

    status = 405
    code = "method_not_allowed"


class RangeOfNothing(VirtregError):
    """As the server's edge raises where no code of the specification fits."""

    status = 416
    code = "range_not_satisfiable"


def told(error: VirtregError) -> tuple[dict[str, str], dict[str, Any]]:
    problem = container.problem(error)
    assert problem.status == error.status
    body = json.loads(problem.body)
    assert list(body) == ["errors"]
    (entry,) = body["errors"]
    return dict(problem.headers), entry


class TooOften(VirtregError):
    """As the server's edge raises for who asks too often."""

    status = 429
    code = "too_many_requests"


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (NotFound("no", path="a/b/manifests/latest"), "MANIFEST_UNKNOWN", 404),
        (NotFound("no", path="a/blobs/manifests/x"), "MANIFEST_UNKNOWN", 404),
        (NotFound("no", path="a/manifests/blobs/sha256:0"), "BLOB_UNKNOWN", 404),
        (NotFound("no", path="a/tags/list"), "NAME_UNKNOWN", 404),
        (NotFound("no", path="a"), "NAME_UNKNOWN", 404),
        (NotFound("there is no registry at this URL"), "NAME_UNKNOWN", 404),
        (RangeOfNothing("no"), "UNSUPPORTED", 416),
        (NameInvalid("no"), "NAME_INVALID", 400),
        (DigestInvalid("no"), "DIGEST_INVALID", 400),
        (InvalidRequest("n: must be a number"), "UNSUPPORTED", 400),
        (ReadOnly("no"), "UNSUPPORTED", 405),
        (Unauthenticated("no"), "UNAUTHORIZED", 401),
        (Forbidden("no"), "DENIED", 403),
        (Barred("no"), "DENIED", 403),
        (UpstreamThrottled("no"), "TOOMANYREQUESTS", 503),
        (UpstreamBusy("no"), "TOOMANYREQUESTS", 503),
        (TooOften("no"), "TOOMANYREQUESTS", 429),
        (UpstreamUnavailable("no"), "UNAVAILABLE", 502),
        (UpstreamTimeout("no"), "UNAVAILABLE", 504),
        (UpstreamDenied("no"), "UNAVAILABLE", 502),
        (IntegrityError("no"), "UNAVAILABLE", 502),
        (Offline("no"), "UNAVAILABLE", 504),
        (StorageError("no"), "UNAVAILABLE", 503),
        (ConfigError("no"), "UNKNOWN", 500),
    ],
)
def test_every_error_has_a_code_that_clients_know(
    error: VirtregError, code: str, status: int
) -> None:
    headers, entry = told(error)
    assert (entry["code"], error.status) == (code, status)
    assert entry["message"].startswith(error.message)
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert ("Retry-After" in headers) is (status in (502, 503, 504))


def test_the_routes_own_errors_have_their_codes() -> None:
    for path, code in (
        ("A/manifests/latest", "NAME_INVALID"),
        ("a/blobs/sha256:abc", "DIGEST_INVALID"),
        ("a/referrers/x", "DIGEST_INVALID"),
        ("a/manifests/.none", "MANIFEST_UNKNOWN"),
        ("a/b", "NAME_UNKNOWN"),
    ):
        with pytest.raises(VirtregError) as caught:
            container.route(path)
        assert told(caught.value)[1]["code"] == code


def test_absence_tells_what_each_upstream_said() -> None:
    said = (Answered("own", "absent", "404 Not Found"), Answered("hub", "absent", "no rights"))
    _, entry = told(NotFound("a/manifests/b is in none", answers=said, path="a/manifests/b"))
    assert entry == {
        "code": "MANIFEST_UNKNOWN",
        "message": "a/manifests/b is in none",
        "detail": {
            "upstreams": [
                {"name": "own", "outcome": "absent", "detail": "404 Not Found"},
                {"name": "hub", "outcome": "absent", "detail": "no rights"},
            ]
        },
    }


def test_the_message_has_what_a_person_needs() -> None:
    slow = "no first byte in 30 s"
    assert told(UpstreamTimeout(slow, upstream="hub"))[1]["message"] == slow
    _, entry = told(UpstreamTimeout(slow, upstream="hub", barred=True))
    assert entry["message"].startswith('no first byte in 30 s. on_error = "continue" for upstream')
    assert "'hub'" in entry["message"]
    assert "on_refused" not in entry["message"]
    _, entry = told(UpstreamDenied("403", upstream="hub"))
    assert 'on_refused = "absent"' in entry["message"]
    _, entry = told(EgressRefused("realm tokens.example", upstream="hub"))
    assert "allow_private" in entry["message"]
    assert "token_realms" in entry["message"]
    assert told(NotFound(""))[1]["message"] == "Not Found"


def test_waiting_times_are_whole_seconds() -> None:
    assert told(UpstreamThrottled("slow", retry_after=12.1))[0]["Retry-After"] == "13"
    assert told(UpstreamThrottled("slow"))[0]["Retry-After"] == "30"
