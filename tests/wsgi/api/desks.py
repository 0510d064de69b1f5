"""The management API over real parts: catalog, directory, index and store in a folder, real tokens,
upstreams in memory."""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlencode

from attrs import define, evolve, field, frozen
from werkzeug.test import EnvironBuilder

from tests.wsgi.answers import Answer
from virtreg.backends.auth.secret_text import digest_of, new_secret
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.backends.catalog import SqlCatalog, open_catalog
from virtreg.backends.directory import SqlDirectory, open_directory
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.store import LocalStore
from virtreg.backends.vault import MasterKeys
from virtreg.core.identity import Role, Token, TokenKind, TokenScope, User
from virtreg.events import AuditEvent, CatalogChanged, Event
from virtreg.formats import named
from virtreg.live import Live
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.protocols import Authenticator, Upstream
from virtreg.service.cleaning import Cleaner
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import Intake
from virtreg.service.prefetching import Prefetching
from virtreg.service.publishing import Publisher
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.works import Works
from virtreg.testing.fakes import FakeClock, FakeUpstream
from virtreg.wsgi.api.application import ROOT, Api
from virtreg.wsgi.api.offer import every_endpoint
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.ledger import Ledger

OURS: Final = "ours"
"""A group; its number is 1."""
THEIRS: Final = "theirs"
"""A group; its number is 2."""
OFF: Final = "off"
"""A group that is switched off; its number is 3."""

MAVEN: Final = "packages/maven"
CONTAINER: Final = "container"

API: Final = frozenset({TokenScope.API})
EVERYBODY: Final = (
    "nobody",
    "stranger",
    "outsider",
    "puller",
    "deployer",
    "guest",
    "reader",
    "developer",
    "robot",
    "maintainer",
    "owner",
    "administrator",
)
"""Who asks: without a token, with an unknown one, a maintainer of another group, and those with a
role in ours: a guest whose token may only pull, a deploy token, a guest, a maintainer whose token
may only read, a developer, a group's token with the role of a maintainer, ..."""

_ROLES: Final = {
    "puller": (Role.GUEST, frozenset({TokenScope.READ_VIRTUAL_REGISTRY})),
    "guest": (Role.GUEST, API),
    "reader": (Role.MAINTAINER, frozenset({TokenScope.READ_API})),
    "developer": (Role.DEVELOPER, API),
    "maintainer": (Role.MAINTAINER, API),
    "owner": (Role.OWNER, API),
}


@frozen
class Told:
    """An answer of the API."""

    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def json(self) -> Any:
        assert self.answer["Content-Type"] == "application/json"
        return json.loads(self.answer.body)

    def __getitem__(self, header: str) -> str:
        return self.answer[header]

    def made(self) -> dict[str, Any]:
        """What a 201 shows."""
        assert self.status == 201, self.answer.body
        found: dict[str, Any] = self.json
        return found


@define(eq=False)
class Desk:
    """Where everybody of :data:`EVERYBODY` asks."""

    api: Api
    parts: Parts
    catalog: SqlCatalog
    directory: SqlDirectory
    index: SqlIndex
    live: Live
    works: Works
    ledger: Ledger
    clock: FakeClock
    tokens: Mapping[str, str]
    told: list[AuditEvent]
    """Every audit event, in order."""
    upstreams: dict[str, FakeUpstream] = field(factory=dict)
    """By URL; those that were asked for."""

    def ask(
        self,
        method: str,
        path: str,
        who: str = "owner",
        body: object = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        **form: str,
    ) -> Told:
        """``path`` is percent-encoded, below ``/api/v4``, with its query. ``body`` is sent as JSON,
        ``form`` as a form, ``content`` as it is."""
        escaped, _, query = path.partition("?")
        named_fields = dict(headers or {})
        if who in self.tokens:
            named_fields.setdefault("PRIVATE-TOKEN", self.tokens[who])
        if who == "deployer":
            named_fields["DEPLOY-TOKEN"] = named_fields.pop("PRIVATE-TOKEN")
        if content is None:
            content = (urlencode(form) if body is None else json.dumps(body)).encode()
        if content:
            kind = "application/json" if body is not None else "application/x-www-form-urlencoded"
            named_fields.setdefault("Content-Type", kind)
        builder = EnvironBuilder(
            method=method,
            headers=list(named_fields.items()),
            query_string=query,
            data=content,
            base_url="http://registry.example",
        )
        environ = builder.get_environ()
        builder.close()
        environ["PATH_INFO"] = ROOT + unquote_to_bytes(escaped).decode("latin-1")
        return Told(Answer(*self.api.answer(environ)))

    def registry(self, name: str = "main", part: str = MAVEN, group: str = OURS) -> int:
        """The number of a new one."""
        path = f"/groups/{group}/-/virtual_registries/{part}/registries"
        number: int = self.ask("POST", path, "administrator", {"name": name}).made()["id"]
        return number

    def upstream(
        self, registry: int, name: str = "central", part: str = MAVEN, **fields: Any
    ) -> dict[str, Any]:
        """A new one, as it is told."""
        body = {"name": name, "url": f"https://{name}.example/repo"} | fields
        path = f"/virtual_registries/{part}/registries/{registry}/upstreams"
        return self.ask("POST", path, "administrator", body).made()

    @property
    def changes(self) -> list[CatalogChanged]:
        return [event for event in self.told if isinstance(event, CatalogChanged)]


@contextmanager
def opened(
    folder: Path,
    declared: Sequence[RegistrySpec] = (),
    *,
    authenticator: Authenticator | None = None,
    reach: Callable[[UpstreamSpec], Upstream] | None = None,
    prefetching: Prefetching | None = None,
) -> Iterator[Desk]:
    """A desk in a new folder. ``authenticator`` takes the place of the tokens' own. ``reach``
    opens those that are tried out; else all are in memory."""
    clock = FakeClock()
    told: list[AuditEvent] = []
    template, tokens = _template()
    shutil.copytree(template, folder)
    with ExitStack() as stack:
        directory = open_directory(folder)
        stack.callback(directory.close)
        keys = MasterKeys.found({}, folder)
        catalog = open_catalog(folder, declared, keys=keys, clock=clock)
        stack.callback(catalog.close)
        index = open_index(folder)
        stack.callback(index.close)
        logins = TokenAuthenticator(directory, clock, told.append)
        stack.callback(logins.close)
        store = LocalStore(folder)
        works = Works(store, index, Intake(store.spool, clock), Publisher(store, index), clock)
        stack.callback(works.close, 10.0)
        ledger = Ledger(index)
        upstreams: dict[str, FakeUpstream] = {}

        def tell(event: Event) -> None:
            if isinstance(event, AuditEvent):
                told.append(event)

        def in_memory(spec: UpstreamSpec) -> Upstream:
            return upstreams.setdefault(spec.url, FakeUpstream(spec=spec))

        def make(spec: RegistrySpec, asked: Sequence[GuardedUpstream]) -> PullThroughRegistry:
            return PullThroughRegistry(spec, named(spec.format), asked, works)

        live = Live(catalog, make, lambda spec: GuardedUpstream(in_memory(spec), clock))
        stack.callback(live.close)
        catalog.on_change(lambda: _followed(live))
        parts = Parts(
            catalog=catalog,
            directory=directory,
            index=index,
            store=store,
            registry=live.registry,
            open_upstream=reach or in_memory,
            cleaner=Cleaner(index, store, catalog, clock, tell, hurry=True),
            notify=told.append,
            clock=clock,
            url=lambda _: "https://registry.example",
            upstream=live.upstream,
            prefetching=prefetching or Prefetching(),
            served=ledger.served,
        )
        stack.callback(parts.prefetching.close)
        api = Api(every_endpoint(parts), authenticator or logins, directory, "virtreg")
        yield Desk(
            api,
            parts,
            catalog,
            directory,
            index,
            live,
            works,
            ledger,
            clock,
            tokens,
            told,
            upstreams,
        )


def _followed(live: Live) -> None:
    live.refresh()


@cache
def _template() -> tuple[Path, Mapping[str, str]]:
    """A folder with everybody in it, to be copied: making people takes longer than most tests.
    Their tokens, by name."""
    made = TemporaryDirectory(prefix="desk-")
    atexit.register(made.cleanup)
    folder = Path(made.name) / "data"
    with ExitStack() as stack:
        directory = open_directory(folder)
        stack.callback(directory.close)
        stack.callback(open_catalog(folder, keys=MasterKeys.found({}, folder)).close)
        stack.callback(open_index(folder).close)
        return folder, MappingProxyType(_people(directory))


def _people(directory: SqlDirectory) -> dict[str, str]:
    """The tokens of everybody, by name."""
    for group in (OURS, THEIRS, OFF):
        directory.add_group(group)
    directory.switch_group(OFF, enabled=False)
    found = {"stranger": new_secret(TokenKind.PERSONAL).reveal()}
    for name, (role, scopes) in _ROLES.items():
        directory.save_user(User(name))
        for group in (OURS, OFF):
            directory.set_role(group, name, role)
        found[name] = _token(directory, name, scopes)
    directory.save_user(User("outsider"))
    directory.set_role(THEIRS, "outsider", Role.MAINTAINER)
    found["outsider"] = _token(directory, "outsider", API)
    directory.save_user(User("administrator", administrator=True))
    found["administrator"] = _token(directory, "administrator", API)
    found["robot"] = _token(directory, "robot", API, TokenKind.GROUP, Role.MAINTAINER)
    pulls = frozenset({TokenScope.READ_VIRTUAL_REGISTRY})
    found["deployer"] = _token(directory, "deployer", pulls, TokenKind.DEPLOY)
    return found


def _token(
    directory: SqlDirectory,
    name: str,
    scopes: frozenset[TokenScope],
    kind: TokenKind = TokenKind.PERSONAL,
    role: Role | None = None,
) -> str:
    """Its id is the name."""
    secret = new_secret(kind)
    token = Token(name, kind, "for tests", name, scopes, 1.0)
    if kind is not TokenKind.PERSONAL:
        token = evolve(token, group=OURS, role=role)
    directory.add_token(token, digest_of(secret.reveal()))
    return secret.reveal()
