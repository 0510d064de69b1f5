"""Commands beside nodes that share a PostgreSQL database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve, frozen
from click.testing import CliRunner, Result

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.backends import signing
from virtreg.backends.auth.grants import Keys
from virtreg.backends.catalog import open_catalog
from virtreg.backends.directory import LEDGER, TROUBLE, open_directory
from virtreg.backends.index import open_index
from virtreg.backends.signing import open_sealed_keys
from virtreg.backends.sql.migrate import Ledger, upgrade
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.sql.shared import SharedDatabase
from virtreg.backends.vault import VARIABLE, MasterKeys, new_key
from virtreg.cli.commands import virtreg
from virtreg.core.identity import Role, User
from virtreg.errors import StorageError
from virtreg.model import Secret
from virtreg.testing.indexes import entry_of

pytestmark = pytest.mark.e2e

LOGIN = {"username": "u", "password": Secret("stored-password")}


@frozen
class Node:
    """A configuration whose data are in a database; its own folder is ``data``."""

    file: Path
    server: DatabaseServer
    environ: dict[str, str]

    def run(self, *arguments: str) -> Result:
        return CliRunner(env=self.environ).invoke(virtreg, list(arguments))

    def on(self, *arguments: str) -> Result:
        """A command that takes the file as an option, and must do."""
        result = self.run(*arguments, "--config", str(self.file))
        assert result.exit_code == 0, result.output
        return result

    @property
    def master(self) -> MasterKeys:
        return MasterKeys.found(self.environ, self.file.parent, shared=True)


@pytest.fixture
def node(tmp_path: Path, database_url: Secret) -> Iterator[Node]:
    file = tmp_path / "server.toml"
    storage = '[storage]\npath = "data"\ndatabase = "env:DATABASE"\n'
    file.write_text(f"[access]\nenabled = true\n{storage}{UPSTREAM}{REGISTRY}")
    environ = {"DATABASE": database_url.reveal(), VARIABLE: new_key().reveal()}
    with closing(DatabaseServer(database_url, connections=4)) as server:
        yield Node(file, server, environ)


def test_a_database_is_checked_brought_up_to_date_and_checked_again(node: Node) -> None:
    before = node.run("db", "check", str(node.file))
    assert before.exit_code == 1
    assert "problem: users and tokens: lacks 0001; run virtreg db upgrade" in before.stdout
    assert node.environ["DATABASE"].partition("@")[0].rpartition(":")[2] not in before.output
    done = node.run("db", "upgrade", str(node.file))
    assert done.exit_code == 0, done.output
    assert "registries: brought to 0002" in done.stderr
    after = node.run("db", "check", str(node.file))
    assert after.exit_code == 0, after.output
    assert not [line for line in after.stdout.splitlines() if not line.startswith("ok: ")]
    again = node.run("db", "upgrade", str(node.file))
    assert "registries: up to date" in again.stderr
    assert not (node.file.parent / "data").exists()


def test_a_database_that_does_not_answer_is_told(node: Node) -> None:
    other = evolve(node, environ={**node.environ, "DATABASE": "postgresql://127.0.0.1:9/none"})
    for command in ("check", "upgrade"):
        result = other.run("db", command, str(node.file))
        assert result.exit_code == 1
        assert "PostgreSQL at 127.0.0.1:9/none" in result.output
        assert "answers" not in result.output


def test_what_is_not_up_to_date_is_not_used_unless_it_may_be(node: Node) -> None:
    text = node.file.read_text().replace("[storage]\n", "[storage]\nupgrade = false\n")
    node.file.write_text(text)
    refused = node.run("user", "add", "ann", "--config", str(node.file))
    assert refused.exit_code == 2
    assert "virtreg db upgrade" in refused.output
    assert node.run("db", "upgrade", str(node.file)).exit_code == 0
    node.on("user", "add", "ann")


def _next(ledger: Ledger, folder: Path, name: str, oldest: str | None) -> Ledger:
    """With one more migration, as a later version may have it."""
    folder.mkdir()
    for script in ledger.scripts.glob("0*.py"):
        (folder / script.name).write_text(script.read_text())
    said = "" if oldest is None else f'oldest = "{oldest}"\n'
    (folder / f"{name}_next.py").write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{name}"\n'
        f'down_revision = "{ledger.head}"\n{said}\n\n'
        'def upgrade() -> None:\n    op.add_column("users", sa.Column("more", sa.Integer))\n'
    )
    return evolve(ledger, scripts=folder, head=name)


def test_nodes_of_the_version_before_go_on_and_start_anew(node: Node, tmp_path: Path) -> None:
    with closing(open_directory(node.server)) as old:
        old.save_user(User("before"))
        newer = _next(LEDGER, tmp_path / "newer", "9001", LEDGER.head)
        upgrade(SharedDatabase(node.server, TROUBLE), newer, str(node.server))
        old.save_user(User("after"))
        assert [user.name for user in old.users()] == ["after", "before"]
        node.on("user", "add", "anew")
        assert [user.name for user in old.users()] == ["after", "anew", "before"]
    checked = node.run("db", "check", str(node.file))
    assert f"ok: users and tokens: 9001, which is newer and works with {LEDGER.head}" in (
        checked.stdout
    )


def test_a_database_that_is_too_new_is_refused(node: Node, tmp_path: Path) -> None:
    open_directory(node.server).close()
    newer = _next(LEDGER, tmp_path / "newer", "9001", None)
    upgrade(SharedDatabase(node.server, TROUBLE), newer, str(node.server))
    refused = node.run("user", "add", "ann", "--config", str(node.file))
    assert refused.exit_code == 2
    assert "was made by a newer version of virtreg" in refused.output
    assert node.run("db", "check", str(node.file)).exit_code == 1


def test_people_and_tokens_are_in_the_database(node: Node) -> None:
    node.on("group", "add", "builds")
    node.on("user", "add", "ann")
    node.on("member", "set", "builds", "ann", "owner")
    made = node.on("token", "create", "--kind", "personal", "--user", "ann", "--json")
    with closing(open_directory(node.server)) as directory:
        assert directory.members("builds") == {"ann": Role.OWNER}
        assert [token.id for token in directory.tokens()] == [json.loads(made.stdout)["id"]]
    assert not (node.file.parent / "data" / "access.sqlite").exists()


def test_a_folder_is_not_where_a_database_is(node: Node, tmp_path: Path) -> None:
    for command in (["user", "list"], ["keys", "list"], ["registry", "list"]):
        result = node.run(*command, "--config", str(node.file), "--data", str(tmp_path))
        assert result.exit_code == 2
        assert "is kept in its database, not in a folder" in result.output


def test_registries_are_managed_in_the_database(node: Node) -> None:
    node.on("registry", "create", "stored", "--format", "maven", "--group", "default")
    listed = json.loads(node.on("registry", "list", "--group", "default", "--json").stdout)
    assert [each["name"] for each in listed] == ["main", "stored"]
    with closing(open_catalog(node.server, keys=node.master, mirrored=False)) as catalog:
        assert catalog.declared_elsewhere() == ["main"]
    assert not (node.file.parent / "data" / "catalog.sqlite").exists()
    assert "no problem found" in node.run("fsck", str(node.file)).stderr
    assert "no group has a cleanup policy" in node.run("cleanup", str(node.file)).stderr


def test_signing_keys_are_rotated_for_all_nodes(node: Node) -> None:
    with closing(open_sealed_keys(node.server, node.master)) as shelf:
        first = Keys(shelf).newest()
        node.on("keys", "rotate")
        assert Keys(shelf).newest().number == 2
        node.on("keys", "remove", "1")
        assert Keys(shelf).find(first.kid) is None
    rows = json.loads(node.on("keys", "list", "--json").stdout)
    assert [(row["number"], row["state"]) for row in rows] == [(2, "signs")]


def test_keys_that_do_not_open_are_told_and_can_be_removed(node: Node) -> None:
    assert node.run("db", "upgrade", str(node.file)).exit_code == 0
    node.on("keys", "list")
    lost = evolve(node, environ={**node.environ, VARIABLE: new_key().reveal()})
    checked = lost.run("db", "check", str(node.file))
    assert checked.exit_code == 1
    assert "all nodes need the same master keys" in checked.stdout
    assert lost.run("keys", "list", "--config", str(node.file)).exit_code == 2
    assert lost.run("keys", "remove", "7", "--config", str(node.file)).exit_code == 2
    assert "though the keys cannot be used" in lost.on("keys", "remove", "1").stderr
    assert lost.run("db", "check", str(node.file)).exit_code == 0


def test_without_a_master_key_it_is_told_where_one_comes_from(node: Node) -> None:
    unset = evolve(node, environ={"DATABASE": node.environ["DATABASE"]})
    result = unset.run("keys", "list", "--config", str(node.file))
    assert result.exit_code == 2
    assert "all nodes of a database need the same keys" in result.output
    assert not (node.file.parent / "secret.key").exists()


def test_what_is_sealed_in_the_database_is_sealed_anew(node: Node) -> None:
    with closing(open_catalog(node.server, keys=node.master)) as catalog:
        registry = catalog.add_registry("default", "maven", {"name": "r"}).spec.id
        catalog.add_upstream(registry, {"name": "u", "url": "https://u.example/", **LOGIN})
    with closing(open_sealed_keys(node.server, node.master)) as shelf:
        signing_key = Keys(shelf).newest()
    refused = node.run("secrets", "rotate", "--config", str(node.file))
    assert refused.exit_code == 2
    assert "holds one key" in refused.output
    new = new_key().reveal()
    both = evolve(node, environ={**node.environ, VARIABLE: f"{new},{node.environ[VARIABLE]}"})
    assert both.on("secrets", "rotate").stderr.startswith("sealed 2 with the newest key")
    after = evolve(node, environ={**node.environ, VARIABLE: new})
    with closing(open_catalog(node.server, keys=after.master)) as catalog:
        ((_, upstream),) = catalog.upstreams_of(registry)
        assert upstream.spec.password == LOGIN["password"]
    with closing(open_sealed_keys(node.server, after.master)) as shelf:
        assert Keys(shelf).newest() == signing_key


def test_what_a_folder_holds_is_copied_to_an_empty_database(node: Node, tmp_path: Path) -> None:
    folder = tmp_path / "one-node"
    with (
        closing(open_directory(folder)) as people,
        closing(open_catalog(folder, keys=node.master)) as kept,
        closing(open_index(folder)) as entries,
    ):
        people.save_user(User("ann", administrator=True))
        people.add_group("gone")
        registry = kept.add_registry("default", "maven", {"name": "r"}).spec.id
        gone, _ = kept.add_upstream(registry, {"name": "a", "url": "https://a.example/"})
        last, _ = kept.add_upstream(registry, {"name": "b", "url": "https://b.example/", **LOGIN})
        kept.remove_upstream(last.id)
        kept.change_upstream(gone.id, {"name": "c", **LOGIN})
        entries.put([entry_of(f"path/{number}", "u1") for number in range(2500)])
        entries.count({("u1", "path/1"): (7, 5.0)})
        before = people.users(), kept.registries(), kept.revision(), entries.find("path/7", ["u1"])
    copied = node.run("db", "copy", str(node.file), "--from", str(folder))
    assert copied.exit_code == 0, copied.output
    assert "downloads: 1 row copied" in copied.stderr
    with (
        closing(open_directory(node.server)) as people,
        closing(open_catalog(node.server, keys=node.master, mirrored=False)) as kept,
        closing(open_index(node.server)) as entries,
    ):
        after = people.users(), kept.registries(), kept.revision(), entries.find("path/7", ["u1"])
        assert after == before
        assert entries.usage()["u1"][0] == 2500
        assert entries.downloads("u1", "path/1") == (7, 5.0)
        assert people.add_group("next").id > people.groups()[0].id
        fresh, _ = kept.add_upstream(registry, {"name": "d", "url": "https://d.example/"})
        assert fresh.id > last.id, "an id is never given again"
    again = node.run("db", "copy", str(node.file), "--from", str(folder))
    assert again.exit_code == 1
    assert "only an empty database is copied to" in again.stderr


def test_what_cannot_be_copied_leaves_the_database_empty(node: Node, tmp_path: Path) -> None:
    folder = tmp_path / "one-node"
    with closing(open_index(folder)) as entries:
        entries.put([entry_of("path", "u1")])
    (folder / "access.sqlite").write_bytes(b"not a database at all" * 100)
    refused = node.run("db", "copy", str(node.file), "--from", str(folder))
    assert refused.exit_code == 1
    assert "SQLITE_NOTADB" in refused.stderr
    with closing(open_index(node.server)) as entries:
        assert entries.find("path", ["u1"]) == []


def test_a_folder_without_a_server_is_told(node: Node, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused = node.run("db", "copy", str(node.file), "--from", str(tmp_path / "empty"))
    assert refused.exit_code == 1
    assert "no server keeps its data there" in refused.stderr
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_s_databases_are_nobody_s_to_bring_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f"{UPSTREAM}{REGISTRY}")
    for command in ("upgrade", "check"):
        result = CliRunner().invoke(virtreg, ["db", command, str(file)])
        assert result.exit_code == 2
        assert "storage.database is not set" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["server.toml"]


def test_a_database_that_is_closed_says_so(node: Node) -> None:
    shelf = open_sealed_keys(node.server, node.master)
    shelf.close()
    with pytest.raises(StorageError, match=f"{signing.TROUBLE.name} is closed"):
        shelf.read()
