from __future__ import annotations

from tests.conformance.clauses import SECTIONS
from tests.conformance.page import FOLDER, PAGE, clauses, render


def test_the_page_has_every_clause_and_no_other() -> None:
    assert PAGE.read_text() == render(), "python -m tests.conformance writes it"


def test_every_section_has_clauses_and_every_clause_is_one() -> None:
    found = clauses()
    assert {one.section for one in found} == set(SECTIONS)
    assert len({(one.section, one.says) for one in found}) == len(found)


def test_every_test_over_the_server_holds_it_to_a_clause() -> None:
    marked = {(one.file, one.test) for one in clauses()}
    for module in FOLDER.glob("test_*.py"):
        if module.name != "test_page.py":
            names = [
                line.removeprefix("def ").partition("(")[0]
                for line in module.read_text().splitlines()
                if line.startswith("def test_")
            ]
            assert {(module.name, name) for name in names} <= marked
