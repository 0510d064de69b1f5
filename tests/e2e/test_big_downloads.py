"""Big files: one fetch for many clients, bounded memory, and whatever may cut a transfer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.e2e import big
from tests.e2e.big import MIB, Artifact
from tests.e2e.conftest import Serve
from tests.e2e.nginx import Nginx
from tests.e2e.processes import forget_peak, resident, until
from tests.e2e.server import Server, Upstream
from tests.e2e.soundness import unsound_blobs
from tests.e2e.transfer import Transfer, fetch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Nginx]:
    """One folder on two sites: ``fast``, and ``slow`` with 8 MiB/s for each connection."""
    root, folder = tmp_path / "shop", tmp_path / "nginx-shop"
    root.mkdir()
    folder.mkdir()
    with Nginx(folder, {"fast": root, "slow": root}, {"slow": 8 * MIB}) as nginx:
        yield nginx
    shutil.rmtree(root)


def _put(shop: Nginx, name: str, size: int) -> Artifact:
    return big.publish(shop.sites["fast"], name, size)


def _over(serve: Serve, shop: Nginx, site: str) -> Server:
    return serve(Upstream("shop", shop.url(site)))


def test_fifty_cold_clients_cost_one_upstream_download(shop: Nginx, serve: Serve) -> None:
    artifact = _put(shop, "popular", 100 * MIB)
    server = _over(serve, shop, "fast")
    url = f"{server.maven}/{artifact.path}"
    together = Barrier(50)

    def client(_: int) -> str:
        together.wait()
        return fetch(url).sha256

    with ThreadPoolExecutor(50) as clients:
        assert set(clients.map(client, range(50))) == {artifact.sha256}
    downloads = [
        request
        for request in shop.requests()
        if request.method == "GET" and request.path == f"/{artifact.path}"
    ]
    assert len(downloads) == 1, downloads


def test_a_client_that_hangs_up_harms_nobody(shop: Nginx, serve: Serve) -> None:
    artifact = _put(shop, "abandoned", 16 * MIB)
    server = _over(serve, shop, "slow")
    url = f"{server.maven}/{artifact.path}"
    with Transfer(url) as given_up, Transfer(url) as patient:
        given_up.read_to(artifact.size * 3 // 10)
        given_up.close()
        assert patient.finish()
    assert patient.sha256 == artifact.sha256
    assert fetch(url).sha256 == artifact.sha256
    assert unsound_blobs(server.data) == []


def test_the_only_client_may_hang_up_and_come_back(shop: Nginx, serve: Serve) -> None:
    artifact = _put(shop, "returning", 16 * MIB)
    server = _over(serve, shop, "slow")
    url = f"{server.maven}/{artifact.path}"
    with Transfer(url) as given_up:
        given_up.read_to(artifact.size * 3 // 10)
    assert fetch(url).sha256 == artifact.sha256
    until(lambda: not server.spooled(), "empty spool")


@pytest.mark.parametrize("percent", [1, 50, 99, 100])
def test_a_killed_server_leaves_no_bad_byte_and_no_litter(
    percent: int, shop: Nginx, serve: Serve
) -> None:
    artifact = _put(shop, "interrupted", 8 * MIB)
    server = _over(serve, shop, "slow")
    url = f"{server.maven}/{artifact.path}"
    with Transfer(url) as cut:
        cut.read_to(artifact.size * percent // 100)
        server.kill()
        if cut.finish():
            assert cut.sha256 == artifact.sha256
    server.start()
    assert fetch(url).sha256 == artifact.sha256
    until(lambda: not server.spooled(), "empty spool")
    assert unsound_blobs(server.data) == []


def test_a_running_transfer_is_finished_before_the_server_stops(shop: Nginx, serve: Serve) -> None:
    artifact = _put(shop, "graceful", 16 * MIB)
    server = _over(serve, shop, "slow")
    with Transfer(f"{server.maven}/{artifact.path}") as running:
        running.read_to(artifact.size // 10)
        server.terminate()
        assert running.finish()
    assert running.sha256 == artifact.sha256
    assert server.wait() == 0


def test_memory_does_not_grow_with_the_size_of_a_file(shop: Nginx, serve: Serve) -> None:
    small = _put(shop, "small", 8 * MIB)
    huge = big.publish_sparse(shop.sites["fast"], "huge", 2048 * MIB)
    server = _over(serve, shop, "fast")
    for _ in range(2):
        assert fetch(f"{server.maven}/{small.path}").sha256 == small.sha256
    for what in ("filling", "serving"):
        pids = server.pids()
        before = sum(resident(pid) for pid in pids)
        for pid in pids:
            forget_peak(pid)
        assert fetch(f"{server.maven}/{huge.path}").sha256 == huge.sha256
        grown = sum(resident(pid, peak=True) for pid in pids) - before
        assert grown < 32 * MIB, f"{what} took {grown / MIB:.0f} MiB"
