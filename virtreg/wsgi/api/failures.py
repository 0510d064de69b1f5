"""What may go wrong with a call, for the documentation: the bodies of
:func:`virtreg.wsgi.api.problems.told`, as classes."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from virtreg.wsgi.api.endpoint import Endpoint


class ParameterError(Struct):
    """Parameters are missing, empty, or of another kind."""

    error: Annotated[str, Meta(examples=["name is missing", "id is invalid"])]
    details: Annotated[
        dict[str, str] | UnsetType, Meta(description="What each of them must be, by its name.")
    ] = UNSET


class FieldError(Struct):
    """What was sent does not go with what is there, or with what may be there."""

    message: Annotated[
        dict[str, list[str]], Meta(description="What is wrong with each field, by its name.")
    ]


class Failure(Struct):
    """Anything else."""

    message: Annotated[str, Meta(examples=["404 Not found"])]
    detail: str | UnsetType = UNSET


FAILURES: Final = (ParameterError, FieldError, Failure)

_DESCRIPTIONS: Final = {
    400: "A parameter is missing or wrong, or does not go with what is there.",
    401: "No good token was sent.",
    403: "Whoever the token belongs to may not do this, or the token is not for it.",
    404: "There is nothing, or nothing that the caller may see, or the group is switched off.",
    409: "It is declared in the server's configuration file, and changes there alone.",
    411: "The body came without its length.",
    412: "It has changed since `If-Unmodified-Since`.",
    413: "The body is larger than any that makes sense.",
    414: "The URL is longer than any that makes sense.",
    415: "The body is neither JSON nor a form.",
    429: "Too many requests; `Retry-After` says when to come again.",
    431: "The header is larger than any that makes sense.",
    500: "A bug; the server's log has the details.",
    503: "The server's storage cannot be used at the moment.",
}


def failures_of(endpoint: Endpoint) -> Iterator[tuple[int, str, tuple[type[Struct], ...]]]:
    """Statuses in order, each with a description and the bodies it may come with."""
    statuses = {414, 429, 431, 500, 503, *endpoint.refuses}
    if endpoint.action is not None:
        statuses |= {400, 401, 403, 404}
    if endpoint.method != "GET":
        statuses.add(409)
    if endpoint.body is not None:
        statuses |= {411, 413, 415}
    if endpoint.heeds_unmodified:
        statuses.add(412)
    for status in sorted(statuses):
        description = _DESCRIPTIONS.get(status) or f"{HTTPStatus(status).phrase}."
        yield status, description, FAILURES if status == 400 else (Failure,)
