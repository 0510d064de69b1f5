"""The page of the reference that is made of the clauses: ``python -m tests.conformance`` writes
it."""

from __future__ import annotations

from importlib import import_module
from itertools import groupby
from pathlib import Path

from tests.conformance.clauses import CLAUSES, SECTIONS, Clause

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "reference" / "conformance.md"

_HEAD = """\
# Conformance

What the [OCI distribution specification][spec] asks of a registry that one only pulls from, and the
test in `tests/conformance` that holds virtreg to it: over the bundled server, by the documented URL
and by a root URL, of content that is not cached and of content that is. The categories Pull and
Content Discovery are claimed; Push and Content Management are not, since a virtual registry is
read-only.

"MUST", "SHOULD" and "MAY" are those of release 1.1.1; "(main)" marks what has been added since.
"suite" marks what the official conformance suite checks and the text does not say.

This page is written by `python -m tests.conformance`.

[spec]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""


def clauses() -> list[Clause]:
    """All there are, section by section."""
    for module in sorted(FOLDER.glob("test_*.py")):
        import_module(f"{__package__}.{module.stem}")
    # Decorators are applied from the last to the first.
    several = reversed(CLAUSES)
    return sorted(several, key=lambda one: (SECTIONS.index(one.section), one.file, one.line))


def render() -> str:
    lines = [_HEAD]
    for section, several in groupby(clauses(), lambda one: one.section):
        lines += [f"## {section}\n", "| | clause | | test |", "|---|---|---|---|"]
        lines += [_row(one) for one in several]
        lines.append("")
    return "\n".join(lines)


def _row(one: Clause) -> str:
    verdict = f"limited: {one.limits}" if one.limits else "met"
    test = f"`{one.file.removesuffix('.py')}::{one.test}`"
    return f"| {one.level} | {one.says} | {verdict} | {test} |"
