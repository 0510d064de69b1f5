"""The clauses of the OCI distribution specification that bind a registry one only pulls from.

Each is held by the tests that are decorated with it; the page of the reference is made of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from attrs import frozen

Level = Literal["MUST", "MUST (main)", "SHOULD", "SHOULD (main)", "MAY", "MAY (main)", "suite"]
"""How strongly release 1.1.1 wants it; ``main``: what has been added since. ``suite``: nothing
says so but a check of the official conformance suite."""

SECTIONS = (
    "Determining Support",
    "Pulling manifests",
    "Pulling blobs",
    "Pulling blobs: Range",
    "Checking if content exists",
    "Listing Tags",
    "Listing Referrers",
    "Unavailable Referrers API",
    "Enabling the Referrers API",
    "Error Codes",
    "Warnings",
    "Legacy Docker support",
    "Registry Proxying",
    "Push",
    "Content Management",
)
"""Headings of the specification, in the order of the page. ``Push`` stands for all of its."""

Test = TypeVar("Test", bound=Callable[..., Any])


@frozen
class Clause:
    section: str
    level: Level
    says: str
    """In our words."""
    limits: str
    """What is done otherwise, and why; empty: it is met."""
    file: str
    test: str
    line: int


CLAUSES: list[Clause] = []
"""Of every test module that has been imported."""


def clause(section: str, level: Level, says: str, limits: str = "") -> Callable[[Test], Test]:
    """Marks a test as holding the server to a clause. A test may hold it to several."""
    assert section in SECTIONS, section

    def marked(test: Test) -> Test:
        file = test.__module__.rpartition(".")[2] + ".py"
        line = inspect.getsourcelines(test)[1]
        CLAUSES.append(Clause(section, level, says, limits, file, test.__name__, line))
        return test

    return marked
