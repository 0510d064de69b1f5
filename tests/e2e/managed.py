"""A server whose registries are managed while it runs, over its API."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.e2e.accounts import Accounts, Issued
from tests.e2e.distribution import Distribution
from tests.e2e.images import single
from tests.e2e.nginx import Nginx
from tests.e2e.server import Server, Upstream
from tests.e2e.tree import Tree

GROUP = "my-group"
ARTIFACTS = ("catalog", "greeter", "banner")
"""Of the group ``com.example``, in version 1.0."""
IMAGE = single("library/alpine", "latest")


def pom(artifact: str) -> str:
    """A path of the upstream."""
    return f"com/example/{artifact}/1.0/{artifact}-1.0.pom"


@frozen
class Managed:
    """Declared are the registries ``main`` and ``images`` of the group, with the upstreams
    ``files`` and ``hub``, which alone can be reached: what is stored may not lead to this
    machine."""

    server: Server
    accounts: Accounts
    web: Nginx
    owner: Issued
    """Of the group; for the API and for pulls."""
    guest: Issued
    administrator: Issued

    @property
    def url(self) -> str:
        return f"http://{self.server.host}"

    def pulled(self, path: str) -> bytes:
        """What the owner gets by a path of the server."""
        headers = {"Private-Token": self.owner.secret}
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            content: bytes = answer.read()
        return content


@contextmanager
def managed(folder: Path) -> Iterator[Managed]:
    """A running server."""
    tree = Tree(folder / "files")
    for artifact in ARTIFACTS:
        tree.put(pom(artifact), f"<project>{artifact}</project>\n".encode())
    (folder / "nginx").mkdir()
    with (
        Nginx(folder / "nginx", {"files": tree.root}) as web,
        Distribution(folder / "distribution", folder / "images") as hub,
    ):
        hub.push(IMAGE)
        server = Server(
            folder / "virtreg",
            [
                Upstream("files", web.url("files")),
                Upstream("hub", hub.url),
            ],
            settings={"group": GROUP, "upstreams": ["files"]},
            also={"images": {"group": GROUP, "format": "container", "upstreams": ["hub"]}},
            tables={
                "access": {"enabled": True},
                # One address asks for all that the tests want to know.
                "limits": {"failed_logins": 0, "requests": 0},
            },
        )
        server.start()
        try:
            yield _with_accounts(server, web)
        finally:
            server.stop()


def _with_accounts(server: Server, web: Nginx) -> Managed:
    accounts = Accounts(server.config)
    accounts.add_member(GROUP, "ada", "owner")
    accounts.add_member(GROUP, "bob")
    accounts.add_administrator("root")
    owner, guest, administrator = (
        accounts.token("personal", "--user", user, "--scopes", "api")
        for user in ("ada", "bob", "root")
    )
    return Managed(server, accounts, web, owner, guest, administrator)
