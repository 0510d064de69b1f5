"""New tokens, out of what is said on the command line."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, date, datetime, time
from typing import Final

from attrs import frozen

from virtreg.core.identity import Role, Token, TokenKind, TokenScope

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION: Final = re.compile(r"([0-9]{1,4})([smhdw])")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OF_GROUPS: Final = frozenset({TokenKind.GROUP, TokenKind.DEPLOY})


@frozen
class Wish:
    """What somebody said of the token to make; None for nothing."""

    kind: TokenKind
    name: str | None
    user: str | None
    group: str | None
    role: Role | None
    username: str | None
    scopes: frozenset[TokenScope]
    expires: str | None

    def token(self, now: float) -> Token:
        """Raises ValueError, naming the option, for what the kind does not go with."""
        self._check()
        group = self.kind is TokenKind.GROUP
        return Token(
            id=secrets.token_hex(8),
            kind=self.kind,
            name=f"{self.kind} token" if self.name is None else self.name,
            username=self._username(),
            scopes=self.scopes,
            created_at=now,
            group=self.group,
            role=(self.role or Role.GUEST) if group else None,
            expires_at=parse_expires(self._life() if self.expires is None else self.expires, now),
        )

    def _username(self) -> str:
        # Nothing between quotes is no wish for a made up one: a script's variable may be empty.
        said = self.username if self.user is None else self.user
        return _robot(self.kind) if said is None else said

    def _life(self) -> str:
        return "1h" if self.kind is TokenKind.JOB else "30d"

    def _check(self) -> None:
        of_group = self.kind in _OF_GROUPS
        said = {
            "--user": (self.user, not of_group),
            "--group": (self.group, of_group),
        }
        for option, (value, needed) in said.items():
            if needed and value is None:
                raise ValueError(f"a {self.kind} token needs {option}")
            if value is not None and not needed:
                raise ValueError(f"{option} is not for {self.kind} tokens")
        if self.role is not None and self.kind is not TokenKind.GROUP:
            raise ValueError(f"--role is not for {self.kind} tokens")
        if self.username is not None and not of_group:
            raise ValueError(f"--username is not for {self.kind} tokens: the user signs in")


def parse_scopes(text: str) -> frozenset[TokenScope]:
    """Names with commas between. Raises ValueError."""
    names = [name.strip() for name in text.split(",")]
    known = [scope.value for scope in TokenScope]
    for name in names:
        if name not in known:
            raise ValueError(f"--scopes: there is no {name!r}; there are: {', '.join(known)}")
    return frozenset(TokenScope(name) for name in names)


def parse_expires(text: str, now: float) -> float | None:
    """When a token ends: a number and s, m, h, d or w from now; a date, at its first second in UTC;
    or ``never``. Raises ValueError."""
    if text == "never":
        return None
    if match := _DURATION.fullmatch(text):
        end = now + int(match[1]) * _SECONDS[match[2]]
    elif _DATE.fullmatch(text):
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"--expires: {text!r} is no date: {error}") from None
        end = datetime.combine(day, time(), UTC).timestamp()
    else:
        raise ValueError(f"--expires: {text!r} is not 30d, 12h, 2027-01-31 or never")
    if end <= now:
        raise ValueError(f"--expires: {text!r} is not in the future")
    return end


def _robot(kind: TokenKind) -> str:
    return f"{'deploy' if kind is TokenKind.DEPLOY else 'bot'}-{secrets.token_hex(6)}"
