from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.core.permission_table import TABLE, Case, cases
from virtreg.core.identity import Caller, Role, TokenKind, TokenScope
from virtreg.core.permissions import REQUIREMENTS, Requirement, Verdict, decide
from virtreg.model import Action

MATRIX = list(cases())
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"


def caller(case: Case) -> Caller:
    roles = {} if case.role is None else {"ours": case.role}
    return Caller("ann", "t1", case.kind, frozenset({case.scope}), roles, case.administrator)


@pytest.mark.parametrize("action", REQUIREMENTS)
def test_every_cell_of_the_matrix_is_as_written(action: Action) -> None:
    for case in MATRIX:
        if case.action == action:
            assert decide(caller(case), action, "ours") is case.verdict, str(case)


def test_the_matrix_has_every_role_scope_kind_and_action_once() -> None:
    seen = Counter((c.action, c.kind, c.scope, c.role, c.administrator) for c in MATRIX)
    standings = len(Role) + 2
    assert len(seen) == len(REQUIREMENTS) * len(TokenKind) * len(TokenScope) * standings
    assert set(seen.values()) == {1}


def test_the_written_table_is_what_the_requirements_say() -> None:
    lines = TABLE.splitlines(keepends=True)
    rows = [row for action, needed in REQUIREMENTS.items() for row in described(action, needed)]
    assert [*lines[:2], *rows] == lines


def test_the_reference_shows_the_same_table() -> None:
    assert f"\n\n{TABLE}\n" in PAGE.read_text()


def described(action: str, needed: Requirement) -> list[str]:
    """The rows of one requirement."""
    least = "administrator" if needed.role is None else needed.role.name.lower()
    known = [least if scope in needed.scopes else "403" for scope in TokenScope]
    unknown = ["401"] * len(TokenScope)
    takers = [kind for kind in TokenKind if kind in needed.kinds and kind is not TokenKind.DEPLOY]
    others = [kind for kind in TokenKind if kind not in (*takers, TokenKind.DEPLOY)]
    deploy = known if TokenKind.DEPLOY in needed.kinds else unknown
    groups = ((takers, known), (others, unknown), ([TokenKind.DEPLOY], deploy))
    return [
        f"| {' | '.join((f'`{action}`', ', '.join(kinds), *cells))} |\n"
        for kinds, cells in groups
        if kinds
    ]


@pytest.mark.parametrize("action", REQUIREMENTS)
def test_nobody_is_asked_who_they_are(action: Action) -> None:
    assert decide(None, action, "ours") is Verdict.UNKNOWN


@pytest.mark.parametrize("action", REQUIREMENTS)
def test_of_a_public_registry_strangers_may_pull_and_nothing_else(action: Action) -> None:
    expected = Verdict.ALLOWED if action == "pull" else Verdict.UNKNOWN
    assert decide(None, action, "ours", public=True) is expected
    for case in MATRIX:
        if case.action == action:
            verdict = Verdict.ALLOWED if action == "pull" else case.verdict
            assert decide(caller(case), action, "ours", public=True) is verdict


@pytest.mark.parametrize("public", [False, True])
def test_what_is_switched_off_is_not_there(public: bool) -> None:
    for case in MATRIX:
        verdict = decide(caller(case), case.action, "ours", public=public, enabled=False)
        if case.action == "switch" or case.verdict is Verdict.UNKNOWN:
            assert verdict is case.verdict
        else:
            assert verdict is Verdict.HIDDEN
    assert decide(None, "pull", "ours", public=public, enabled=False) is Verdict.UNKNOWN


def test_a_role_in_another_group_counts_for_nothing() -> None:
    for case in MATRIX:
        if not case.administrator:
            stranger = Case(case.action, case.kind, case.scope, None, False, case.verdict)
            assert decide(caller(case), case.action, "theirs") is decide(
                caller(stranger), case.action, "ours"
            )


def test_further_scopes_never_take_anything_away() -> None:
    for case in MATRIX:
        if case.verdict is Verdict.ALLOWED:
            roles = {} if case.role is None else {"ours": case.role}
            everything = frozenset(TokenScope)
            richer = Caller("ann", "t1", case.kind, everything, roles, case.administrator)
            assert decide(richer, case.action, "ours") is Verdict.ALLOWED
