"""The token service: who shows a login here is given a token for the images they may pull (Docker
Registry token authentication, "Token" and "OAuth2")."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.doors import presented
from virtreg.core.scopes import RequestedScope, parse_scopes
from virtreg.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated
from virtreg.events import AuditEvent, GrantIssued
from virtreg.formats.container.routes import CATALOG
from virtreg.model import Credentials, Headers, Principal, Scope
from virtreg.wsgi.bearer import TokenService
from virtreg.wsgi.forms import Fields, form_fields, query_fields
from virtreg.wsgi.place import Ping
from virtreg.wsgi.refusing import MethodNotAllowed
from virtreg.wsgi.scoping import scope_of
from virtreg.wsgi.surfaces import Surfaces

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_HEADERS: Headers = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)

Decide = Callable[[Scope], Principal]
"""Admits the one who asks, or raises what ``Authenticator.admit`` does."""


@frozen(eq=False)
class _Asker:
    """Who asks for a grant."""

    decide: Decide
    shown: bool
    """Whether something was shown, which then must be right whatever is asked for."""


class Granting:
    """Answers the requests for grants of one application. Thread-safe."""

    def __init__(
        self,
        service: TokenService,
        surfaces: Surfaces,
        notify: Callable[[AuditEvent], None] = lambda _: None,
    ) -> None:
        self._service = service
        self._surfaces = surfaces
        self._notify = notify

    @property
    def path(self) -> str:
        """Where they come to."""
        return self._service.path

    def answer(self, environ: WSGIEnvironment) -> tuple[Headers, bytes]:
        """Headers and body of a 200. What is asked for and not allowed is left out of the grant,
        without an error.

        Raises MethodNotAllowed, InvalidRequest and what reading a form raises; Unauthenticated for
        credentials that are not good, and what else an authenticator raises.
        """
        method = environ["REQUEST_METHOD"]
        if method == "GET":
            fields = query_fields(environ)
            wanted = _wanted(fields)
            asker = self._presenting(environ.get("HTTP_AUTHORIZATION"), environ)
            offline = _one(fields, "offline_token") == "true"
        elif method == "POST":
            fields = form_fields(environ)
            wanted = _wanted(fields)
            asker = self._posting(fields, environ)
            offline = _one(fields, "access_type") == "offline"
        else:
            raise MethodNotAllowed(f"{method}: tokens are asked for by GET and POST", "GET, POST")
        told = self._grant(asker, wanted, environ, offline=offline, scoped=method == "POST")
        body = json.dumps(told).encode()
        return (*_HEADERS, ("Content-Length", str(len(body)))), body

    def _presenting(self, authorization: str | None, environ: WSGIEnvironment) -> _Asker:
        credentials = Credentials(authorization, environ)
        logins = self._service.logins
        shown = authorization is not None or presented(credentials) is not None
        return _Asker(lambda scope: logins.admit(credentials, scope), shown)

    def _posting(self, fields: Fields, environ: WSGIEnvironment) -> _Asker:
        kind = _one(fields, "grant_type")
        if kind == "password":
            return self._presenting(
                _basic(_one(fields, "username"), _one(fields, "password")), environ
            )
        if kind == "refresh_token":
            principal = self._service.grants.redeem(_one(fields, "refresh_token"))
            readmit = self._service.authenticator.readmit
            return _Asker(lambda scope: readmit(principal, scope), True)
        raise InvalidRequest('grant_type: must be "password" or "refresh_token"')

    def _grant(
        self,
        asker: _Asker,
        wanted: tuple[RequestedScope, ...],
        environ: WSGIEnvironment,
        *,
        offline: bool,
        scoped: bool,
    ) -> dict[str, object]:
        meant = [(one, self._meant(one, environ)) for one in wanted]
        scopes = {one: scope for one, scope in meant if scope is not None}
        principal = self._sign_in(asker, scopes.values()) if asker.shown else ANONYMOUS
        allowed: dict[RequestedScope, Scope] = {}
        decide = asker.decide
        for one, scope in scopes.items():
            admitted = _admitted(decide, scope, shown=asker.shown)
            if admitted is not None:
                allowed[one] = scope
                principal = admitted if principal == ANONYMOUS else principal
            # Once what was shown has been counted and judged by, no slow check is made again.
            decide = self._by_name(principal) or decide
        access = frozenset((scope.registry, scope.repository) for scope in allowed.values())
        issued = self._service.grants.issue(principal, access)
        self._tell(principal, access, issued.expires_in, environ)
        issued_at = datetime.fromtimestamp(issued.issued_at, UTC)
        told: dict[str, object] = {
            "token": issued.text,
            "access_token": issued.text,
            "expires_in": issued.expires_in,
            "issued_at": issued_at.isoformat().replace("+00:00", "Z"),
        }
        if scoped:
            told["scope"] = " ".join(str(evolve(one, actions=_granted(one))) for one in allowed)
        if offline and principal != ANONYMOUS and self._service.authenticator.readmits:
            told["refresh_token"] = self._service.grants.refresh(principal)
        return told

    def _meant(self, wanted: RequestedScope, environ: WSGIEnvironment) -> Scope | None:
        """What must be allowed for it; None for what is never granted. The name is read as a URL
        with it would be."""
        if wanted.type == "repository" and {"pull", "*"} & set(wanted.actions):
            asked = f"/v2/{wanted.name}/manifests/latest"
        elif (
            wanted.type == "registry"
            and wanted.name.endswith("catalog")
            and wanted.actions == ("*",)
        ):
            asked = f"/v2/{wanted.name.removesuffix('catalog')}{CATALOG}"
        else:
            return None
        try:
            place = self._surfaces.place(asked, environ)
            if isinstance(place, Ping):
                return None
            place.format.route(place.path)
        except (InvalidRequest, NotFound):
            return None
        scope = scope_of(place.served, place.path)
        return evolve(scope, path=scope.repository or place.path)

    def _by_name(self, principal: Principal) -> Decide | None:
        """Decides about somebody who proved who they are, without another proof; None where nobody
        can."""
        authenticator = self._service.authenticator
        if principal == ANONYMOUS or not authenticator.readmits:
            return None
        return lambda scope: authenticator.readmit(principal, scope)

    def _sign_in(self, asker: _Asker, wanted: Collection[Scope]) -> Principal:
        """Who asks, as the first registry knows them that lets them in, of those that something is
        wanted of before the others; nobody in particular where none does. Raises Unauthenticated,
        after one question alone, when what was shown is not good."""
        asked = {scope.registry for scope in wanted}
        # Where strangers may pull, wrong credentials would be as good as none, and whoever guesses
        # some would learn from the grant whether they were right, without failing once.
        roots = [evolve(scope_of(served, ""), public=False) for served in self._surfaces.images]
        for scope in sorted(roots, key=lambda root: root.registry not in asked):
            try:
                principal = asker.decide(scope)
            except (Forbidden, NotFound):
                continue
            if principal != ANONYMOUS:
                return principal
        return ANONYMOUS

    def _tell(
        self,
        principal: Principal,
        access: frozenset[tuple[str, str]],
        seconds: float,
        environ: WSGIEnvironment,
    ) -> None:
        self._notify(
            GrantIssued(
                actor="" if principal == ANONYMOUS else principal.name,
                token_id=principal.token_id,
                address=environ.get("REMOTE_ADDR", ""),
                repositories=tuple(f"{registry}/{image}" for registry, image in sorted(access)),
                seconds=seconds,
            )
        )


def _wanted(fields: Fields) -> tuple[RequestedScope, ...]:
    return parse_scopes(" ".join(fields.get("scope", ())))


def _admitted(decide: Decide, scope: Scope, *, shown: bool) -> Principal | None:
    """Raises Unauthenticated only for what was shown."""
    try:
        return decide(scope)
    except (Forbidden, NotFound):
        return None
    except Unauthenticated:
        if shown:
            raise
        return None


def _granted(wanted: RequestedScope) -> tuple[str, ...]:
    return ("pull",) if wanted.type == "repository" else wanted.actions


def _one(fields: Fields, name: str) -> str:
    values = fields.get(name, [""])
    if len(values) > 1:
        raise InvalidRequest(f"{name}: is there twice")
    return values[0]


def _basic(username: str, password: str) -> str:
    """As the header has it (RFC 7617), which authenticators read."""
    if not username or ":" in username:
        raise Unauthenticated("username: must not be empty or hold ':'")
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
