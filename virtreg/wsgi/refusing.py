"""Errors as answers."""

from __future__ import annotations

from virtreg.errors import Unauthenticated, VirtregError
from virtreg.model import Headers, Problem
from virtreg.protocols import Format
from virtreg.wsgi.problems import plain_problem
from virtreg.wsgi.serving import range_headers


class MethodNotAllowed(VirtregError):
    """A virtual registry is read-only on its file endpoints."""

    status = 405
    code = "method_not_allowed"


class InternalError(VirtregError):
    """A bug, told without its details; they are in the log."""


def check_method(method: str) -> None:
    """Raises MethodNotAllowed for all that would change something."""
    if method not in ("GET", "HEAD"):
        raise MethodNotAllowed(f"{method}: a virtual registry is read-only")


def refusal(
    error: VirtregError,
    format: Format | None,  # noqa: A002 - the protocol's word
    realm: str,
) -> tuple[Problem, Headers]:
    """The problem in the format's words, plain without one, and its further headers."""
    problem = plain_problem(error) if format is None else format.problem(error)
    more: Headers = range_headers(error)
    if isinstance(error, Unauthenticated) and format is not None:
        more += (("WWW-Authenticate", format.challenge(realm)),)
    if isinstance(error, MethodNotAllowed):
        more += (("Allow", "GET, HEAD"),)
    return problem, more
