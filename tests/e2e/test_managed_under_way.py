"""A download that is under way ends well, whatever becomes of the registry that it began with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import frozen

from tests.e2e.management import MAVEN, House, Registry, house
from tests.e2e.soundness import unsound_blobs
from tests.e2e.transfer import Transfer
from virtreg.testing.gate import Gate
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

FILE = "com/acme/app/1.0/app-1.0.jar"
BODY = b"PK old\n" * 300_000
NEWER = b"PK new\n" * 300_000
HALF = 1_000_000


@frozen
class Begun:
    """Half of :data:`BODY` has come through the upstream; the rest comes when the gate opens."""

    registry: Registry
    upstream: int
    place: int
    switch: Callable[[bool], None]
    """Its group, on or off."""


Change = Callable[[Begun], object]

CHANGES: dict[str, tuple[Change, int]] = {
    "upstream deleted": (lambda it: it.registry.asked("DELETE", f"upstreams/{it.upstream}"), 404),
    "registry deleted": (
        lambda it: it.registry.asked("DELETE", f"registries/{it.registry.id}"),
        404,
    ),
    "upstream taken out": (
        lambda it: it.registry.asked("DELETE", f"registry_upstreams/{it.place}"),
        404,
    ),
    "rule added": (
        lambda it: it.registry.deny(it.upstream, "group_id", "com.acme"),
        403,
    ),
    "upstream purged": (
        lambda it: it.registry.asked("DELETE", f"upstreams/{it.upstream}/cache"),
        200,
    ),
    "registry purged": (
        lambda it: it.registry.asked("DELETE", f"registries/{it.registry.id}/cache"),
        200,
    ),
    "group switched off": (lambda it: it.switch(False), 404),
}
"""By what happens: how it is done, and what is then answered to who asks anew."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("way") / "virtreg") as home:
        yield home
        assert unsound_blobs(home.server.data) == []


@pytest.mark.parametrize("what", CHANGES)
def test_a_download_that_is_under_way_ends_well(what: str, home: House) -> None:
    change, status = CHANGES[what]

    def switch(on: bool) -> None:
        assert home.admin.group("PATCH", "settings", {"enabled": on}).status == 200

    gate = Gate()
    registry = home.admin.make(MAVEN, what.replace(" ", "-"))
    with Origin() as origin:
        origin.put(FILE, BODY, stall_after=HALF, stall=gate)
        upstream = registry.upstream("near", origin.url)
        begun = Begun(registry, upstream, registry.places()[upstream], switch)
        url = f"http://{home.server.host}/maven/{registry.slug}/{FILE}"
        with Transfer(url, home.admin.headers) as download:
            download.read_to(HALF // 2)
            change(begun)
            try:
                if status == 200:
                    origin.put(FILE, NEWER)
                    # Not the download that began before the purge.
                    assert registry.pull(FILE).body == NEWER
                else:
                    assert registry.pull(FILE).status == status
                gate.release()
                assert download.finish()
                assert download.size == len(BODY)
            finally:
                switch(True)
        if status == 200:
            assert registry.pull(FILE).body == NEWER
