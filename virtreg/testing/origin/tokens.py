"""A token service (CNCF distribution: token authentication) and what its tokens open."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from attrs import define, field, frozen

from virtreg.core.challenges import Challenge


@frozen
class Issued:
    """One token that was given."""

    text: str
    scope: str
    """As asked for; several scopes separated by spaces."""
    login: str | None
    """The user name, ``<token>`` for an identity token, None for nobody."""
    expires_at: float


@define
class Tokens:
    """Gives tokens to whom it should and knows them again. Thread-safe.

    Put on a path with ``mint=``; the paths it guards get ``lock=Lock(…)``.
    """

    login: tuple[str, str] | None = None
    """The user name and password that are wanted; without one anybody gets tokens."""
    identity: str | None = None
    """The identity token that is taken instead, by POST."""
    public: bool = False
    """Whether anybody gets tokens although there is a login."""
    expires_in: int | None = 300
    """Seconds tokens live; None lives so long too and does not say."""
    member: str = "token"
    """Where the answer has it: ``token`` or ``access_token``."""
    clock: Callable[[], float] = lambda: 0.0
    """Seconds since the epoch."""
    refuse_with: int = 401
    _issued: list[Issued] = field(factory=list, init=False)
    _revoked: set[str] = field(factory=set, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @property
    def issued(self) -> list[Issued]:
        """Every token so far, in order."""
        with self._lock:
            return list(self._issued)

    def revoke(self) -> None:
        """End every token given so far."""
        with self._lock:
            self._revoked.update(issued.text for issued in self._issued)

    def mint(
        self, authorization: str | None, query: str, form: str | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The answer to a GET with this query, or to a POST of this form."""
        asked = parse_qs(query if form is None else form)
        who = self._who(authorization, None if form is None else asked)
        if who is None and self.login is not None and not self.public:
            return self.refuse_with, {"WWW-Authenticate": 'Basic realm="tokens"'}, b"{}"
        scope = " ".join(asked.get("scope", []))
        with self._lock:
            text = f"t{len(self._issued)}.{base64.urlsafe_b64encode(scope.encode()).decode()}"
            life = 60 if self.expires_in is None else self.expires_in
            self._issued.append(Issued(text, scope, who, self.clock() + life))
        answer: dict[str, Any] = {self.member: text}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def admits(self, authorization: str | None, scope: str) -> bool:
        """Whether a request with this header may see what needs the scope."""
        text = (authorization or "").removeprefix("Bearer ")
        with self._lock:
            return any(
                issued.text == text
                and scope in issued.scope.split()
                and self.clock() < issued.expires_at
                and text not in self._revoked
                for issued in self._issued
            )

    def _who(self, authorization: str | None, form: Mapping[str, list[str]] | None) -> str | None:
        if form is not None:
            given = form.get("refresh_token", [""])[0]
            refreshing = form.get("grant_type") == ["refresh_token"]
            return "<token>" if refreshing and given == self.identity else None
        if self.login is None or authorization is None:
            return None
        wanted = base64.b64encode(":".join(self.login).encode()).decode()
        return self.login[0] if authorization == f"Basic {wanted}" else None


@frozen
class Lock:
    """What a registry's path wants before it answers."""

    tokens: Tokens
    realm: str
    """The URL of the token service."""
    scope: str
    """What a token must allow."""
    told: str | None = "same"
    """The scope the challenge names: ``same``, another, or none."""
    service: str | None = "origin"
    prefix: str = ""
    """Challenges put before this one, such as ``Negotiate, ``."""

    def challenge(self) -> str:
        told = self.scope if self.told == "same" else self.told
        params = {"realm": self.realm, "service": self.service, "scope": told}
        present = {name: value for name, value in params.items() if value is not None}
        return f"{self.prefix}{Challenge('Bearer', present)}"
