"""A server whose registries are made by its API, and those who ask it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from tests.e2e import marked
from tests.e2e.accounts import Accounts
from tests.e2e.server import Server, Setting, Upstream

GROUP: Final = "team"
MAVEN: Final = "packages/maven"
CONTAINER: Final = "container"

REACHABLE: Final[Mapping[str, Mapping[str, Setting]]] = {
    "access": {"enabled": True},
    "management": {"allow_private": ["127.0.0.0/8"]},
    # One address does all that the tests do.
    "limits": {"failed_logins": 0, "requests": 0},
}
"""Tables of a server where people sign in, whose upstreams may be on loopback."""


@frozen
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@frozen
class Caller:
    """Somebody who asks a server at a port, by headers. From any thread."""

    port: int
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    def at(self, port: int) -> Caller:
        """The same one, at another server."""
        return evolve(self, port=port)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """``path`` is below the server's root; ``body`` is sent as JSON. No answer repeats a
        secret."""
        sent = None if body is None else json.dumps(body)
        shown = {**self.headers, **(headers or {})}
        if sent is not None:
            shown["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, sent, shown)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, told, response.read())
        finally:
            connection.close()
        whole = str(answer.headers).encode() + answer.body
        assert marked.SECRETS.found(f"{method} {path}", whole) == []
        return answer

    def api(self, method: str, path: str, body: object = None) -> Answer:
        """``path`` is below ``/api/v4/virtual_registries/``."""
        return self.ask(method, f"/api/v4/virtual_registries/{path}", body)

    def group(self, method: str, path: str, body: object = None, group: str = GROUP) -> Answer:
        """``path`` is below what belongs to a group."""
        return self.ask(method, f"/api/v4/groups/{group}/-/virtual_registries/{path}", body)

    def make(self, part: str, name: str, group: str = GROUP) -> Registry:
        """A new registry."""
        made = _made(self.group("POST", f"{part}/registries", {"name": name}, group))
        return Registry(self, part, made["id"], made["slug"])


@frozen
class Registry:
    """One that was made by the API. ``by`` is who asks about it."""

    by: Caller
    part: str
    id: int
    slug: str

    def at(self, port: int) -> Registry:
        """As another server of the same data has it."""
        return evolve(self, by=self.by.at(port))

    def pull(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """``path`` is below its URL; of images, what follows the name of the registry."""
        root = "/v2" if self.part == CONTAINER else "/maven"
        return self.by.ask(method, f"{root}/{self.slug}/{path}", headers=headers)

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """``path`` is below its part of the API, such as ``upstreams/7/rules``."""
        return self.by.api(method, f"{self.part}/{path}", body)

    def asked(self, method: str, path: str, body: object = None) -> Any:
        """As ``ask``, of what must do; the document that is answered, if one is."""
        answer = self.ask(method, path, body)
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer.json if answer.body else None

    def upstream(self, name: str, url: str, **fields: Any) -> int:
        """The number of a new one, the last."""
        made = _made(
            self.ask("POST", f"registries/{self.id}/upstreams", {"name": name, "url": url} | fields)
        )
        number: int = made["id"]
        return number

    def places(self) -> dict[int, int]:
        """The number of its association by that of each upstream, in order."""
        listed = self.asked("GET", f"registries/{self.id}/upstreams")
        return {each["id"]: each["registry_upstream"]["id"] for each in listed}

    def deny(self, upstream: int, coordinate: str, pattern: str) -> int:
        """The number of a new rule."""
        rule = {"rule_type": "deny", "target_coordinate": coordinate, "pattern": pattern}
        number: int = self.asked("POST", f"upstreams/{upstream}/rules", rule)["id"]
        return number

    def allow_again(self, rule: int) -> None:
        self.asked("DELETE", f"upstream_rules/{rule}")


@frozen
class House:
    """A server, its accounts, and its administrator. A member of :data:`GROUP` is added with a
    call of ``accounts``."""

    server: Server
    accounts: Accounts
    admin: Caller

    def caller(self, *flags: str, kind: str = "personal") -> Caller:
        """Somebody with a new token; by the flags of ``virtreg token create``."""
        issued = self.accounts.token(kind, *flags)
        name = "Deploy-Token" if kind == "deploy" else "Private-Token"
        return Caller(self.server.port, {name: issued.secret})


@contextmanager
def house(
    folder: Path,
    upstreams: Sequence[Upstream] = (Upstream("declared", "http://127.0.0.1:9"),),
    settings: Mapping[str, Setting] | None = None,
    also: Mapping[str, Mapping[str, Setting]] | None = None,
    storage: Mapping[str, Setting] | None = None,
) -> Iterator[House]:
    """A running server; ``main`` of the group is declared over these upstreams, with these
    settings, and further registries and keys of the storage as :class:`Server` takes them. Nobody
    listens at the upstream that is declared by default."""
    server = Server(
        folder,
        upstreams,
        settings={"group": GROUP, **(settings or {})},
        also=also or {},
        tables=REACHABLE,
        storage=storage or {},
    )
    server.start()
    try:
        accounts = Accounts(server.config)
        accounts.add_administrator("root")
        token = accounts.token("personal", "--user", "root", "--scopes", "api")
        yield House(server, accounts, Caller(server.port, {"Private-Token": token.secret}))
    finally:
        server.stop()
    assert marked.found_below(server.folder) == []


def _made(answer: Answer) -> dict[str, Any]:
    assert answer.status == 201, f"{answer.status} {answer.body!r}"
    found: dict[str, Any] = answer.json
    return found
