"""Who may do what, written by hand. The reference page shows the same text."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from virtreg.core.identity import Role, TokenKind, TokenScope
from virtreg.core.permissions import REQUIREMENTS, Verdict
from virtreg.model import Action

TABLE = """\
| action | token | `api` | `read_api` | `read_virtual_registry` | `write_virtual_registry` |
|---|---|---|---|---|---|
| `pull` | personal, group, job | guest | 403 | guest | guest |
| `pull` | deploy | guest | 403 | guest | guest |
| `read` | personal, group, job | guest | guest | 403 | 403 |
| `read` | deploy | 401 | 401 | 401 | 401 |
| `configure` | personal, group, job | maintainer | 403 | 403 | 403 |
| `configure` | deploy | 401 | 401 | 401 | 401 |
| `clean_up` | personal, group, job | owner | 403 | 403 | 403 |
| `clean_up` | deploy | 401 | 401 | 401 | 401 |
| `switch` | personal | administrator | 403 | 403 | 403 |
| `switch` | group, job | 401 | 401 | 401 | 401 |
| `switch` | deploy | 401 | 401 | 401 | 401 |
"""

STANDINGS: tuple[Role | None, ...] = (None, *Role)
"""What one may be in a group, None for no member, besides administrator."""


@frozen
class Case:
    """One cell, for one who asks."""

    action: Action
    kind: TokenKind
    scope: TokenScope
    role: Role | None
    administrator: bool
    verdict: Verdict

    def __str__(self) -> str:
        who = "administrator" if self.administrator else getattr(self.role, "name", "stranger")
        return f"{self.action}-{self.kind}-{self.scope}-{who.lower()}"


def cases() -> Iterator[Case]:
    """The whole matrix: role × scope × kind × action."""
    for action, kind, scope, cell in _cells():
        for role in STANDINGS:
            verdict = _verdict(cell, role, administrator=False)
            yield Case(action, kind, scope, role, False, verdict)
        yield Case(action, kind, scope, None, True, _verdict(cell, None, administrator=True))


def _cells() -> Iterator[tuple[Action, TokenKind, TokenScope, str]]:
    head, _, *rows = (_columns(line) for line in TABLE.splitlines())
    actions = {str(action): action for action in REQUIREMENTS}
    for action, kinds, *cells in rows:
        for kind in kinds.split(", "):
            for scope, cell in zip(head[2:], cells, strict=True):
                yield actions[action], TokenKind(kind), TokenScope(scope), cell


def _columns(line: str) -> list[str]:
    return [column.strip(" `") for column in line.strip("|").split("|")]


def _verdict(cell: str, role: Role | None, *, administrator: bool) -> Verdict:
    if cell == "401":
        return Verdict.UNKNOWN
    if role is None and not administrator:
        return Verdict.HIDDEN
    if cell == "403" or (cell == "administrator" and not administrator):
        return Verdict.FORBIDDEN
    if administrator or (role is not None and role >= Role[cell.upper()]):
        return Verdict.ALLOWED
    return Verdict.FORBIDDEN
