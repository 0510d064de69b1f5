"""Two groups with a registry of images each behind one application, and their people."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from attrs import define, field, frozen

from tests.wsgi.answers import Answer
from tests.wsgi.doors import NOTHING, Named
from tests.wsgi.galleries import Galleries
from tests.wsgi.images import Gallery, spec
from virtreg import RegistrySpec
from virtreg.backends.auth.grants import GrantAuthenticator, Grants, Keys
from virtreg.backends.auth.secret_text import digest_of, new_secret
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.core.identity import Role, Token, TokenKind, TokenScope, User
from virtreg.events import AuditEvent, Event
from virtreg.protocols import Authenticator, Directory
from virtreg.testing.fakes import FakeClock
from virtreg.testing.memory import MemoryDirectory
from virtreg.wsgi.bearer import TokenService

PATH = "/jwt/auth"
SERVICE = "images.example"
FORM = "application/x-www-form-urlencoded"

SPECS = (
    spec(1, "ours", "ours.example", group="ours"),
    spec(2, "theirs", "theirs.example", group="theirs"),
    spec(3, "open", "open.example", group="ours", public=True),
)


def basic(name: str, password: str) -> Named:
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def bearer(token: str) -> Named:
    return {"Authorization": f"Bearer {token}"}


def add_user(directory: Directory, name: str, group: str) -> str:
    """A guest of a group, a new one too; the text of their token, whose id is their name."""
    if directory.group(group) is None:
        directory.add_group(group)
    directory.save_user(User(name))
    directory.set_role(group, name, Role.GUEST)
    secret = new_secret(TokenKind.PERSONAL).reveal()
    scopes = frozenset({TokenScope.READ_VIRTUAL_REGISTRY})
    token = Token(name, TokenKind.PERSONAL, "laptop", name, scopes, 1.0)
    directory.add_token(token, digest_of(secret))
    return secret


@define
class Audit:
    """An observer that remembers who did what."""

    events: list[AuditEvent] = field(factory=list)

    def __call__(self, event: Event) -> None:
        if isinstance(event, AuditEvent):
            self.events.append(event)


@frozen
class Office:
    """The gallery with its token service."""

    site: Gallery
    clock: FakeClock
    """Of the grants."""
    audit: Audit

    def ask(self, *scopes: str, login: Named = NOTHING, **more: str) -> Answer:
        """Ask for a grant by GET."""
        query = urlencode(
            [("service", SERVICE), *(("scope", one) for one in scopes), *more.items()]
        )
        return self.site.door.ask("GET", f"{PATH}?{query}", login)

    def post(self, **fields: str) -> Answer:
        body = urlencode(fields).encode()
        return self.site.door.ask("POST", PATH, {"Content-Type": FORM}, body)

    def grant(self, *scopes: str, login: Named = NOTHING) -> Named:
        """The header that shows a new grant."""
        return bearer(told(self.ask(*scopes, login=login))["token"])


def told(answer: Answer) -> dict[str, Any]:
    """The document of a grant."""
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    assert found["token"] == found["access_token"]
    return found


def challenge(answer: Answer) -> dict[str, str]:
    """The parameters of a Bearer challenge."""
    assert answer.status == 401
    value = answer["WWW-Authenticate"]
    assert value.startswith("Bearer ")
    return dict(re.findall(r'([a-z]+)="([^"]*)"', value))


def opened(
    galleries: Galleries,
    folder: Path,
    logins: Authenticator,
    specs: Sequence[RegistrySpec] = SPECS,
    *,
    external_url: str = "",
    **arguments: Any,
) -> Office:
    """An office that lets in whom ``logins`` does."""
    clock, audit = FakeClock(), Audit()
    grants = Grants(Keys(folder / "keys", clock), SERVICE, clock)
    guarded = GrantAuthenticator(logins, grants)
    tokens = TokenService(grants, guarded, logins, SERVICE, PATH, external_url)
    site = galleries(*specs, authenticator=guarded, tokens=tokens, notify=audit, **arguments)
    return Office(site, clock, audit)


@frozen
class Tenants:
    """Ann of ours and Tom of theirs, with the logins they show."""

    directory: MemoryDirectory
    logins: TokenAuthenticator
    ann: Named
    tom: Named
    ann_s_token: str
    tom_s_token: str


def tenants() -> Tenants:
    """The caller closes ``logins``."""
    directory = MemoryDirectory()
    ann, tom = add_user(directory, "ann", "ours"), add_user(directory, "tom", "theirs")
    logins = TokenAuthenticator(directory, FakeClock())
    return Tenants(directory, logins, basic("ann", ann), basic("tom", tom), ann, tom)
