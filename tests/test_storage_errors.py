"""What of a storage that failed is for callers, and what for who runs the server."""

from __future__ import annotations

import pytest

from virtreg.errors import IndexUnavailable, StorageError, StoreUnavailable
from virtreg.formats import named
from virtreg.wsgi.problems import plain_problem

DETAIL = "PostgreSQL at db.internal/virtreg: no connection: FATAL: no role virtreg"


@pytest.mark.parametrize("kind", [StorageError, IndexUnavailable, StoreUnavailable])
@pytest.mark.parametrize("form", ["maven", "container"])
def test_where_it_is_and_why_is_in_no_answer(kind: type[StorageError], form: str) -> None:
    error = kind("cannot read the index", retry_after=1, detail=DETAIL)
    assert str(error) == f"cannot read the index: {DETAIL}"
    for problem in (plain_problem(error), named(form, ()).problem(error)):
        assert problem.status == 503
        assert b"cannot read the index" in problem.body
        assert b"internal" not in problem.body
        assert b"FATAL" not in problem.body


def test_without_more_to_say_the_message_is_all() -> None:
    assert str(StorageError("the disk is full")) == "the disk is full"
