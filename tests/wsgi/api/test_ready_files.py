"""What is kept ready to be served ends with a change made by the API, in every process."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from attrs import frozen

from tests.wsgi.api.desks import MAVEN
from tests.wsgi.doors import called
from tests.wsgi.sites import POM, SMALL_BODY, Site, opened
from virtreg import Assembly, Config, RegistrySpec, ServerConfig, StorageConfig, UpstreamSpec, build
from virtreg.model import Credentials, Principal, Scope
from virtreg.wsgi.api.application import ROOT
from virtreg.wsgi.api.entry_ids import entry_id

M = f"{ROOT}/virtual_registries/{MAVEN}"


class Everybody:
    """Admits whoever asks to everything."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        assert isinstance(credentials, Credentials)
        assert scope.action != "pull"
        return Principal("somebody")


@frozen
class Two:
    """Two processes over one folder."""

    site: Site
    other: Assembly

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The API of the first."""
        content = b"" if body is None else msgspec.json.encode(body)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.partition("?")[0],
            "QUERY_STRING": path.partition("?")[2],
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.input": io.BytesIO(content),
            "wsgi.url_scheme": "http",
            "HTTP_HOST": "localhost",
        }
        status, _, answer = self.site.assembly.api_for(Everybody()).answer(environ)
        return status, msgspec.json.decode(answer) if answer else None

    def get(self, path: str) -> list[tuple[int, bytes]]:
        """What a client gets of each of them."""
        found = []
        for app in (self.site.assembly.app, self.other.app):
            with called(app, "") as door:
                answer = door.ask("GET", f"/maven/solo/{path}", {})
                found.append((answer.status, answer.body))
        return found


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with ExitStack() as stack:
        site = stack.enter_context(opened(tmp_path, called, ""))
        upstreams = [
            UpstreamSpec(name, origin.url, allow_private=("127.0.0.0/8",))
            for name, origin in (("near", site.near), ("far", site.far))
        ]
        config = Config(
            (
                RegistrySpec(7, "solo", "maven", tuple(upstreams[:1])),
                RegistrySpec(1, "main", "maven", tuple(upstreams)),
            ),
            ServerConfig(),
            StorageConfig(tmp_path / "data"),
        )
        other = stack.enter_context(build(config, clock=site.clock))
        yield Two(site, other)


def _delete(two: Two, upstream: int) -> None:
    assert two.ask("DELETE", f"{M}/cache_entries/{entry_id(upstream, POM)}")[0] == 204


def _refresh(two: Two, upstream: int) -> None:
    assert upstream
    status, told = two.ask("POST", f"{M}/registries/7/refresh", {"path": POM})
    assert (status, told["result"]) == (200, "changed")


def _purge(two: Two, upstream: int) -> None:
    assert two.ask("DELETE", f"{M}/upstreams/{upstream}/cache")[0] == 204


def _deny(two: Two, upstream: int) -> None:
    rule = {"rule_type": "deny", "target_coordinate": "group_id", "pattern": "org.*"}
    assert two.ask("POST", f"{M}/upstreams/{upstream}/rules", rule)[0] == 201


@pytest.mark.parametrize(
    ("change", "status"), [(_delete, 200), (_refresh, 200), (_purge, 200), (_deny, 403)]
)
def test_no_process_serves_what_was_there_before(
    two: Two, change: Callable[[Two, int], None], status: int
) -> None:
    two.site.make_ready(POM)
    assert two.get(POM) == [(200, SMALL_BODY)] * 2
    assert two.get(POM) == [(200, SMALL_BODY)] * 2
    new = b"<project>new</project>"
    two.site.near.put(POM, new)
    (upstream,) = two.ask("GET", f"{M}/registries/7/upstreams")[1]
    assert two.get(POM) == [(200, SMALL_BODY)] * 2
    change(two, upstream["id"])
    two.other.live.refresh()
    answers = two.get(POM)
    assert [each[0] for each in answers] == [status] * 2
    if status == 200:
        assert [each[1] for each in answers] == [new] * 2
