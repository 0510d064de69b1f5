"""How requests of one upstream prove who asks: at once, or as challenges want it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from attrs import evolve, field, frozen

from virtreg.backends.http.asking import Fields, basic_field
from virtreg.backends.http.logins import Held, Logins
from virtreg.backends.http.realm import RealmGuard
from virtreg.backends.http.reply import HttpReply
from virtreg.backends.http.tokens import Token, TokenCache
from virtreg.backends.http.tokenservice import IDENTITY, Grant, TokenService
from virtreg.core.challenges import Challenge, parse_challenges
from virtreg.core.weburl import WebUrl
from virtreg.errors import EgressRefused, UpstreamDenied, UpstreamError, UpstreamRefused

_MOST_ORIGINS = 64
_REFUSALS = (401, 403)

Origin = tuple[str, str, int]
Send = Callable[[Fields], HttpReply]


@frozen
class _Wanted:
    """What an origin's last challenge wanted; with no grant: HTTP Basic."""

    grant: Grant | None
    predictable: bool
    """Whether the scope was the one the format would have said, so that the next repository's
    token can be had without a challenge."""


@frozen
class _Proof:
    """What a request was sent with."""

    fields: Fields = field(default=(), repr=False)
    token: Token | None = None
    basic: bool = False


_NOTHING = _Proof()


class Access:
    """The credentials, tokens and challenges of one upstream. Thread-safe.

    ``fixed`` are credential fields that are sent as they are.
    """

    def __init__(
        self,
        fixed: Fields,
        logins: Logins | None,
        guard: RealmGuard,
        service: TokenService,
        clock: Callable[[], float],
    ) -> None:
        self._fixed = fixed
        self._complete = any(name.lower() == "authorization" for name, _ in fixed)
        self._logins = logins
        self._guard = guard
        self._service = service
        self._tokens = TokenCache(clock)
        self._lock = threading.Lock()
        self._wanted: OrderedDict[Origin, _Wanted] = OrderedDict()

    def ask(self, url: WebUrl, scope: str | None, trusted: bool, send: Send) -> HttpReply:
        """The reply of ``send``, which is given the credential fields and may be called again
        after a refusal, three times in all.

        Only a ``trusted`` URL gets credentials: one of the upstream's own origin, reached from
        nowhere else. Others are asked as anybody may, with tokens of their own for nobody in
        particular. Without a scope credentials are sent at once and no token is asked for.

        Raises UpstreamDenied when a token is refused, and what asking for one raises.
        """
        fixed = self._fixed if trusted else ()
        if (trusted and self._complete) or (scope is None and not trusted):
            return send(fixed)
        held = self._logins.current() if trusted and self._logins is not None else None
        proof = _basic(held) if scope is None else self._expected(url, scope, held)
        reply = send((*fixed, *proof.fields))
        if reply.status == 401 and scope is not None:
            wanted = self._learn(url, scope, held, reply)
            repeated = proof.basic and wanted is not None and wanted.grant is None
            if wanted is not None and not repeated:
                reply.close()
                proof = self._prove(url, scope, held, wanted, proof.token)
                reply = send((*fixed, *proof.fields))
        if reply.status in _REFUSALS and proof.basic:
            reply = self._again(reply, held, fixed, send)
        if reply.status in _REFUSALS and proof.token is not None:
            status = reply.status
            reply.close()
            name = self._service.spec.name
            raise UpstreamDenied(
                f"upstream {name!r}: {url.authority} says {status} to the token it asked for",
                upstream=name,
            )
        return reply

    def _again(self, reply: HttpReply, held: Held | None, fixed: Fields, send: Send) -> HttpReply:
        assert self._logins is not None
        assert held is not None  # there is no Basic proof without
        renewed = self._logins.renew(held)
        if renewed is None:
            return reply
        reply.close()
        return send((*fixed, *_basic(renewed).fields))

    def _expected(self, url: WebUrl, scope: str, held: Held | None) -> _Proof:
        """What the origin will want, by what it wanted before."""
        token = self._tokens.peek(_key(url, scope, held))
        if token is not None:
            return _bearing(token)
        with self._lock:
            wanted = self._wanted.get(url.origin)
        if wanted is None or not wanted.predictable:
            return _NOTHING
        if wanted.grant is not None:
            wanted = evolve(wanted, grant=evolve(wanted.grant, scope=scope))
        try:
            return self._prove(url, scope, held, wanted, None)
        except UpstreamDenied:
            raise
        except UpstreamError:
            with self._lock:  # the registry may have moved its token service meanwhile
                self._wanted.pop(url.origin, None)
            raise

    def _learn(
        self, url: WebUrl, scope: str, held: Held | None, reply: HttpReply
    ) -> _Wanted | None:
        """What the challenge wants and can be given. Raises EgressRefused for its realm."""
        challenges = parse_challenges(reply.headers.get("www-authenticate", ""))
        try:
            wanted = self._choose(challenges, url, scope, held)
        except BaseException:
            reply.close()
            raise
        if wanted is not None:
            with self._lock:
                self._wanted[url.origin] = wanted
                self._wanted.move_to_end(url.origin)
                if len(self._wanted) > _MOST_ORIGINS:
                    self._wanted.popitem(last=False)
        return wanted

    def _choose(
        self, challenges: tuple[Challenge, ...], url: WebUrl, scope: str, held: Held | None
    ) -> _Wanted | None:
        for challenge in challenges:
            realm = challenge.params.get("realm")
            if challenge.scheme == "bearer" and realm:
                checked = self._guard.check(realm, url)
                told = challenge.params.get("scope") or scope
                grant = Grant(checked, challenge.params.get("service"), told)
                return _Wanted(grant, predictable=told == scope)
        if any(challenge.scheme == "basic" for challenge in challenges) and _basic(held).basic:
            return _Wanted(None, predictable=True)
        return None

    def _prove(
        self, url: WebUrl, scope: str, held: Held | None, wanted: _Wanted, refused: Token | None
    ) -> _Proof:
        grant = wanted.grant
        if grant is None:
            return _basic(held)
        try:
            return _bearing(self._token(_key(url, scope, held), grant, held, refused))
        except UpstreamRefused as error:
            if held is None or self._logins is None or isinstance(error, EgressRefused):
                raise
            renewed = self._logins.renew(held)
            if renewed is None:
                raise
        return _bearing(self._token(_key(url, scope, renewed), grant, renewed, refused))

    def _token(
        self, key: tuple[Origin, int, str], grant: Grant, held: Held | None, refused: Token | None
    ) -> Token:
        login = None if held is None else held.login
        return self._tokens.get(key, refused, lambda: self._service.ask(grant, login))


def _key(url: WebUrl, scope: str, held: Held | None) -> tuple[Origin, int, str]:
    return (url.origin, 0 if held is None else held.version, scope)


def _basic(held: Held | None) -> _Proof:
    """Identity tokens are for token services alone."""
    if held is None or held.login.username == IDENTITY:
        return _NOTHING
    return _Proof((basic_field(held.login.username, held.login.password),), basic=True)


def _bearing(token: Token) -> _Proof:
    return _Proof((("Authorization", f"Bearer {token.text.reveal()}"),), token)
