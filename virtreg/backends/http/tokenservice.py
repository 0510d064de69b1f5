"""Asking a token service for a token (CNCF distribution: token and OAuth 2.0 authentication)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote, urlencode

from attrs import evolve, frozen

from virtreg.backends.http.asking import Fields, basic_field
from virtreg.backends.http.deadline import Deadline
from virtreg.backends.http.reply import HttpReply
from virtreg.backends.http.tokens import Token
from virtreg.backends.http.wire import Wire
from virtreg.core.backoff import parse_retry_after
from virtreg.core.weburl import WebUrl
from virtreg.errors import (
    EgressRefused,
    UpstreamDenied,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamUnavailable,
)
from virtreg.model import Login, Secret, UpstreamSpec

IDENTITY = "<token>"
"""The user name that says a password is an identity token."""

_CLIENT = "virtreg"
_MOST_BYTES = 1024 * 1024
_LONGEST_TOKEN = 32 * 1024
_SENDABLE = re.compile(r"[!-~]+")
_LIFE = 60.0
"""Seconds, where the token service does not say."""
_LONGEST_LIFE = 86_400.0
_USED_OF_LIFE = 0.8


@frozen
class Grant:
    """What is asked of which token service."""

    realm: WebUrl
    service: str | None
    scope: str
    """One scope or several, separated by spaces."""


@frozen
class TokenService:
    """Asks the token services that one upstream's challenges name. Thread-safe.

    ``clock`` gives seconds since the epoch.
    """

    spec: UpstreamSpec
    wire: Wire
    user_agent: str
    clock: Callable[[], float]

    def ask(self, grant: Grant, login: Login | None) -> Token:
        """A new token, for nobody in particular without a login.

        Raises UpstreamRefused when the login is not taken, UpstreamDenied when nobody may have
        such a token without one, EgressRefused for a redirect, UpstreamThrottled, UpstreamTimeout,
        and UpstreamUnavailable for anything else, all naming the token service's host.
        """
        asked_at = self.clock()
        try:
            body = self._exchange(grant, login)
        except UpstreamError as error:
            if type(error) is UpstreamDenied or isinstance(error, EgressRefused):
                raise
            mine = f"upstream {self.spec.name!r}: "
            said = error.message.removeprefix(mine)
            said = f"{mine}token service {grant.realm.authority}: {said}"
            retry_after = error.retry_after
            raise type(error)(said, upstream=self.spec.name, retry_after=retry_after) from None
        token = read_token(body, asked_at)
        if isinstance(token, str):
            raise UpstreamUnavailable(
                f"upstream {self.spec.name!r}: token service {grant.realm.authority}: {token}",
                upstream=self.spec.name,
            )
        return token

    def _exchange(self, grant: Grant, login: Login | None) -> bytes:
        limit = min(self.spec.read_timeout, self.spec.total_timeout)
        deadline = Deadline(limit, limit)
        reply = self._send(grant, login, deadline)
        try:
            self._check(reply, grant, login)
            answer = bytearray()
            while piece := reply.read(64 * 1024):
                answer += piece
                if len(answer) > _MOST_BYTES:
                    raise self._unavailable(f"answer longer than {_MOST_BYTES} bytes")
            return bytes(answer)
        finally:
            reply.close()

    def _send(self, grant: Grant, login: Login | None, deadline: Deadline) -> HttpReply:
        fields: Fields = (
            ("User-Agent", self.user_agent),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
        )
        pairs = [] if grant.service is None else [("service", grant.service)]
        pairs.append(("client_id", _CLIENT))
        if login is not None and login.username == IDENTITY:
            pairs += [("grant_type", "refresh_token"), ("scope", grant.scope)]
            pairs.append(("refresh_token", login.password.reveal()))
            body = urlencode(pairs).encode()
            form = ("Content-Type", "application/x-www-form-urlencoded")
            length = ("Content-Length", str(len(body)))
            return self.wire.ask(grant.realm, "POST", (*fields, form, length), deadline, body)
        pairs += [("scope", scope) for scope in grant.scope.split()]
        query = urlencode(pairs, quote_via=quote)
        own = grant.realm.query
        url = evolve(grant.realm, query=f"{own}&{query}" if own else query)
        proof = () if login is None else (basic_field(login.username, login.password),)
        return self.wire.ask(url, "GET", (*fields, *proof), deadline)

    def _check(self, reply: HttpReply, grant: Grant, login: Login | None) -> None:
        name, status = self.spec.name, reply.status
        if status == 200:
            return
        if 300 <= status < 400:
            raise EgressRefused(
                f"upstream {name!r}: token service {grant.realm.authority} redirects,"
                " which is not followed",
                upstream=name,
            )
        if status == 403 and login is None:
            raise UpstreamDenied(
                f"upstream {name!r}: token service {grant.realm.authority} gives"
                " no token without credentials for this",
                upstream=name,
            )
        posted = login is not None and login.username == IDENTITY
        if status in (401, 403) or (posted and status == 400):  # RFC 6749, 5.2
            said = "credentials are wanted" if login is None else "credentials were refused"
            raise UpstreamRefused(f"upstream {name!r}: {said} ({status})", upstream=name)
        if posted and status in (404, 405):
            raise UpstreamRefused(
                f"upstream {name!r}: identity tokens are not taken ({status})", upstream=name
            )
        wait = parse_retry_after(reply.headers.get("retry-after", ""), self.clock())
        if status == 429 or (status == 503 and wait is not None):
            raise UpstreamThrottled(
                f"upstream {name!r}: status {status}", upstream=name, retry_after=wait
            )
        raise self._unavailable(f"status {status}")

    def _unavailable(self, said: str) -> UpstreamUnavailable:
        name = self.spec.name
        return UpstreamUnavailable(f"upstream {name!r}: {said}", upstream=name)


def read_token(body: bytes, now: float) -> Token | str:
    """The token in a token service's answer, or what is wrong with it, quoting nothing."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "the answer is not JSON"
    if not isinstance(answer, dict):
        return "the answer is not an object"
    text = answer.get("token") or answer.get("access_token")
    if not isinstance(text, str):
        return "the answer has no token"
    if len(text) > _LONGEST_TOKEN or not _SENDABLE.fullmatch(text):
        return "the token cannot be sent in a header"
    return Token(Secret(text), now + _USED_OF_LIFE * _life(answer.get("expires_in")))


def _life(told: object) -> float:
    if isinstance(told, int | float) and not isinstance(told, bool) and told > 0:
        return min(told, _LONGEST_LIFE)
    return _LIFE
