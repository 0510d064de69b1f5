"""One server with registries of two groups over one cache."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from tests.e2e import marked
from tests.e2e.accounts import Accounts, Issued
from tests.e2e.clients import Login
from tests.e2e.server import Server, Setting, Upstream

NAMESPACE = "registry.example.test"

USER = "reader"
"""A guest of the group ``team``."""

WRONG = marked.SECRETS.make("a wrong password")


@frozen
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@frozen
class Tenants:
    """Registries of the group ``team``: ``main``, and ``open`` for everybody; ``theirs`` is of the
    group ``others``. All are over the same upstreams."""

    server: Server
    accounts: Accounts

    def personal(self) -> Issued:
        """A token of the user that nothing else uses."""
        return self.accounts.token("personal", "--user", USER)

    def ask(
        self, path: str, login: Login | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET of a path of the server, with a login by HTTP Basic. No answer repeats a secret."""
        shown = {**(basic(login) if login else {}), **(headers or {})}
        request = urllib.request.Request(f"http://{self.server.host}{path}", headers=shown)
        try:
            with urllib.request.urlopen(request, timeout=60) as answered:
                answer = Answer(answered.status, answered.headers, answered.read())
        except urllib.error.HTTPError as error:
            with error:
                answer = Answer(error.code, error.headers, error.read())
        assert marked.SECRETS.found(path, bytes(answer.headers) + answer.body) == []
        return answer

    def grant(self, name: str, login: Login | None = None) -> Answer:
        """What the token service says to somebody who would pull an image by this name."""
        query = urllib.parse.urlencode({"service": "virtreg", "scope": f"repository:{name}:pull"})
        answer = self.ask(f"/jwt/auth?{query}", login)
        if answer.status == 200:
            marked.SECRETS.told(f"grant for {name}", answer.document["token"])
        return answer


@contextmanager
def tenants(
    folder: Path, upstreams: Sequence[Upstream], kind: str, **access: Setting
) -> Iterator[Tenants]:
    """A running server, with the user in it; ``access`` are further keys of that table. Images at
    the root are those of ``open``, or of ``main`` where :data:`NAMESPACE` is named."""
    server = Server(
        folder,
        [
            evolve(upstream, settings={**upstream.settings, "shared": True})
            for upstream in upstreams
        ],
        format=kind,
        settings={"group": "team", **_only(kind, namespaces=[NAMESPACE])},
        also={
            "open": {"group": "team", "public": True, **_only(kind, default=True)},
            "theirs": {"group": "others"},
        },
        tables={
            "access": {"enabled": True, **access},
            # One address makes all the mistakes of the tests.
            "limits": {"failed_logins": 0, "requests": 0},
        },
    )
    server.start()
    try:
        accounts = Accounts(server.config)
        accounts.add_member("team", USER)
        yield Tenants(server, accounts)
    finally:
        server.stop()


def bearer(granted: Answer) -> dict[str, str]:
    """The header that shows what the token service gave."""
    return {"Authorization": f"Bearer {granted.document['token']}"}


def basic(login: Login) -> dict[str, str]:
    """The header of HTTP Basic (RFC 7617, 2)."""
    return {"Authorization": f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"}


def _only(kind: str, **settings: Setting) -> dict[str, Setting]:
    """Keys that mean something to registries of images alone."""
    return settings if kind == "container" else {}
