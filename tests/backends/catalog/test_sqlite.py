"""The catalog's file, shared by processes, forked, killed."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from attrs import evolve

from tests.backends.catalog.conftest import Open
from tests.backends.places import differences
from virtreg.backends.catalog import FILE, LEDGER, SqlCatalog, open_catalog
from virtreg.backends.catalog.schema import catalog_tables
from virtreg.backends.vault import MasterKeys
from virtreg.errors import ConfigError, Invalid, StorageError
from virtreg.model import RegistrySpec, Secret
from virtreg.protocols import Catalog
from virtreg.testing.catalogs import CENTRAL, PRIVATE, CatalogSuite, registry_of

PROCESSES = 4

FORK = """
import os, sys
from pathlib import Path
from virtreg.backends.catalog import open_catalog
from virtreg.backends.vault import MasterKeys
catalog = open_catalog(sys.argv[1], keys=MasterKeys(Path(sys.argv[1]) / "secret.key"))
catalog.add_registry("g", "maven", {"name": "parent"})
child = os.fork()
if child == 0:
    assert len(catalog.registries()) == 1
    catalog.add_registry("g", "maven", {"name": "child"})
    catalog.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
assert [spec.name for spec in catalog.registries()] == ["parent", "child"]
catalog.close()
"""

CHANGE_FOR_EVER = """
import sys
from pathlib import Path
from virtreg.backends.catalog import open_catalog
from virtreg.backends.vault import MasterKeys
from virtreg.model import Secret
catalog = open_catalog(sys.argv[1], keys=MasterKeys(Path(sys.argv[1]) / "secret.key"))
turn = 0
while True:
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    for name in "abc":
        login = {"username": "u", "password": Secret(f"{name}-password")}
        fields = {"name": name, "url": f"https://{name}.example/{turn}"}
        catalog.add_upstream(registry, {**fields, **login})
    catalog.move(catalog.upstreams_of(registry)[2][0].id, 1)
    catalog.purge_registry(registry)
    catalog.remove_registry(registry)
    turn += 1
    print(turn, flush=True)
"""


def open_in(folder: Path, declared: Sequence[RegistrySpec] = ()) -> SqlCatalog:
    return open_catalog(folder, declared, keys=MasterKeys(folder / "secret.key"))


class TestSqlCatalog(CatalogSuite):
    @pytest.fixture(autouse=True)
    def _opened(self, opened: Open) -> None:
        self.opened = opened
        self.times = 0

    def make_catalog(self, registries: Sequence[RegistrySpec]) -> Catalog:
        return self.opened(registries)

    def change(self, catalog: Catalog) -> None:
        assert isinstance(catalog, SqlCatalog)
        self.times += 1
        catalog.add_registry("g", "maven", {"name": f"r{self.times}"})


def test_the_migrations_make_the_declared_tables(catalog: SqlCatalog) -> None:
    assert differences(catalog._database, LEDGER, catalog_tables) == []


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    open_in(tmp_path / "data").close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


def test_what_was_stored_is_there_after_reopening(tmp_path: Path) -> None:
    with closing(open_in(tmp_path)) as catalog:
        registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
        login = {"username": "bob", "password": Secret("hunter2")}
        catalog.add_upstream(registry, {"name": "u", "url": "https://u.example/", **login})
        before = catalog.registries(), catalog.upstreams_of(registry), catalog.revision()
    with closing(open_in(tmp_path)) as catalog:
        after = catalog.registries(), catalog.upstreams_of(registry), catalog.revision()
    assert after == before


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    open_in(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("UPDATE virtreg_catalog_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(ConfigError, match=r"catalog\.sqlite was made by a newer version"):
        open_in(tmp_path)


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match="cannot open the catalog: SQLITE_NOTADB"):
        open_in(tmp_path)


def test_a_change_is_seen_by_whoever_else_has_it_open(opened: Open) -> None:
    ours, theirs = opened([registry_of(1)]), opened([registry_of(1)])
    for step in range(3):
        revision = theirs.revision()
        assert theirs.registries() == ours.registries()
        made = ours.add_registry("g", "maven", {"name": f"r{step}"})
        assert theirs.revision() > revision
        assert theirs.registries()[-1] == made.spec
        assert theirs.registry(made.spec.id) == made
    revision = theirs.revision()
    ours.announce()
    assert theirs.revision() == revision + 1


def test_a_change_that_is_refused_midway_leaves_nothing(catalog: SqlCatalog) -> None:
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    catalog.add_upstream(registry, {"name": "u", "url": "https://u.example/"})
    before = catalog.upstreams_of(registry), catalog.revision(), catalog.retired()
    lone = {"name": "\ud800", "url": "https://v.example/"}
    with pytest.raises(Invalid):
        catalog.add_upstream(registry, lone)
    with pytest.raises(Invalid):
        catalog.change_upstream(before[0][0][1].id, {"url": "https://w.example/", "name": ""})
    assert (catalog.upstreams_of(registry), catalog.revision(), catalog.retired()) == before


def test_threads_that_change_at_once_lose_nothing(catalog: SqlCatalog) -> None:
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id

    def add(number: int) -> None:
        fields = {"name": f"u{number}", "url": f"https://u{number}.example/"}
        catalog.add_upstream(registry, fields)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(20)))
    places = [place for place, _ in catalog.upstreams_of(registry)]
    assert [place.position for place in places] == list(range(1, 21))
    assert catalog.revision() == 21


def start(folder: Path, barrier: Barrier, number: int) -> tuple[list[tuple[int, int]], list[int]]:
    barrier.wait(60)
    declared = [registry_of(1, PRIVATE, CENTRAL), registry_of(2)]
    with closing(open_in(folder, declared)) as catalog:
        places = [(place.id, upstream.id) for place, upstream in catalog.upstreams_of(1)]
        barrier.wait(60)
        made = catalog.add_registry(f"g{number}", "maven", {"name": "r"}).spec.id
        for name in "abc":
            login = {"username": name, "password": Secret(f"{name}{number}")}
            fields = {"name": name, "url": "https://u.example/", **login}
            catalog.add_upstream(made, fields)
        return places, [made]


def test_processes_that_start_at_once_share_one_new_catalog(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as shared, spawn.Pool(PROCESSES) as pool:
        barrier = shared.Barrier(PROCESSES)
        asked = [(tmp_path, barrier, number) for number in range(PROCESSES)]
        answers = pool.starmap(start, asked, chunksize=1)
        pool.close()
        pool.join()
    assert len({tuple(places) for places, _ in answers}) == 1
    assert len({number for _, made in answers for number in made}) == PROCESSES
    with closing(open_in(tmp_path)) as catalog:
        found = catalog.registries()
        assert [len(spec.upstreams) for spec in found] == [3] * PROCESSES
        secrets = {
            each.password.reveal() for spec in found for each in spec.upstreams if each.password
        }
        assert secrets == {f"{name}{number}" for name in "abc" for number in range(PROCESSES)}


def test_a_kill_amid_changes_leaves_whole_ones(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHANGE_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline()
        process.kill()
    with closing(open_in(tmp_path)) as catalog:
        for spec in catalog.registries():
            places = [place.position for place, _ in catalog.upstreams_of(spec.id)]
            assert places == list(range(1, len(spec.upstreams) + 1))
            assert all(each.password is not None for each in spec.upstreams)
        used = {source for spec in catalog.registries() for source in catalog.sources_of("g")}
        assert not used & set(catalog.retired())
        catalog.add_registry("h", "maven", {"name": "after"})
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_catalog_opened_before_a_fork_works_on_both_sides(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", FORK, str(tmp_path)], check=True)


def test_opening_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_in(tmp_path, [evolve(registry_of(1), description="d")]).close()
    assert capfd.readouterr() == ("", "")
