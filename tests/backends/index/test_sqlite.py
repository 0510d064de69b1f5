"""The SQL index on SQLite keeps the contract, and what is special about its files."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from virtreg.backends.index import SqlIndex, open_index, selections, statements
from virtreg.errors import ConfigError, IndexUnavailable, InvalidRequest
from virtreg.testing.indexes import EntryIndexSuite, entry_of


class TestSqliteIndex(EntryIndexSuite):
    def open_index(self, folder: Path) -> AbstractContextManager[SqlIndex]:
        return closing(open_index(folder))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqlIndex]:
    with closing(open_index(tmp_path)) as index:
        yield index


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlIndex]:
    with closing(open_index(tmp_path_factory.mktemp("shared"))) as index:
        yield index


PATHS = st.text("aAbB%_!\\/.é漢", min_size=1, max_size=5)


@given(paths=st.sets(PATHS, max_size=6), search=st.text("aAb%_!\\/.", max_size=3), after=PATHS)
def test_a_page_is_what_sorting_and_filtering_in_memory_gives(
    shared: SqlIndex, paths: set[str], search: str, after: str
) -> None:
    shared.drop("central")
    shared.put([entry_of(path) for path in paths])
    expected = [path for path in sorted(paths) if path > after and search.lower() in path.lower()]
    page = shared.page("central", after=after, limit=4, search=search)
    assert [entry.path for entry in page] == expected[:4]


@given(
    rows=st.dictionaries(
        st.tuples(st.sampled_from(["a", "b"]), PATHS), st.integers(0, 3), max_size=8
    ),
    source=st.sampled_from(["a", "b"]),
    version=st.integers(0, 3),
)
def test_a_digest_is_held_by_a_source_exactly_when_an_entry_of_it_has_it(
    shared: SqlIndex, rows: dict[tuple[str, str], int], source: str, version: int
) -> None:
    shared.drop("a")
    shared.drop("b")
    shared.put([entry_of(path, each, version=rows[each, path]) for each, path in rows])
    held = [
        entry_of(path, each, version=version)
        for each, path in rows
        if (each, rows[each, path]) == (source, version)
    ]
    found = shared.holding(source, entry_of("", version=version).sha256)
    assert found in held if held else found is None


def plan(
    folder: Path, statement: str, parameters: Sequence[object], database: str = "index"
) -> str:
    with closing(sqlite3.connect(folder / f"{database}.sqlite")) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return " ".join(row[3] for row in rows)


def test_the_queries_walk_an_index(index: SqlIndex, tmp_path: Path) -> None:
    found = plan(tmp_path, statements.find_text(sqlite.dialect(), 2), ("p", "a", "b"))
    assert found == "SEARCH entries USING PRIMARY KEY (path=? AND source=?)"
    page = statements.page("s", "p", 9, "x").compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    paged = plan(tmp_path, str(page), ())
    assert paged == "SEARCH entries USING INDEX ix_entries_source_path (source=? AND path>?)"
    holding = statements.holding("s", "0").compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    held = plan(tmp_path, str(holding), ())
    assert held.startswith("SEARCH entries USING INDEX ix_entries_sha256 (sha256=?")


def test_queries_about_many_entries_walk_an_index(index: SqlIndex, tmp_path: Path) -> None:
    def planned(statement: Select[Any], database: str = "index") -> str:
        text = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        return plan(tmp_path, str(text), (), database)

    newest = planned(selections.newest("s", "", 20, 20_000))
    assert "SEARCH entries USING COVERING INDEX ix_entries_source_created_at (source=?)" in newest
    assert "SEARCH entries USING PRIMARY KEY (path=? AND source=?)" in newest
    for statement in (selections.usage(), selections.used(["s", "t"])):
        assert "USING COVERING INDEX ix_entries_source_sha256" in planned(statement)
    keys = selections.wanted([("s", "p")])
    for at_keys, database in ((selections.of_keys, "index"), (selections.counts_of, "downloads")):
        found = planned(at_keys.params(keys), database)
        assert found.endswith("USING PRIMARY KEY (path=? AND source=?)")
    oldest = planned(selections.oldest("s", (1.0, "p"), 9))
    assert oldest.startswith("SEARCH entries USING INDEX ix_entries_source_created_at (source=?")
    used = planned(selections.counts_by_use("s", (1.0, "p"), 9), "downloads")
    assert used.startswith("SEARCH downloads USING COVERING INDEX ix_downloads_source_last_at")
    digests = planned(selections.by_digest(("d", "p", "s"), 9))
    assert digests == (
        "SEARCH entries USING INDEX ix_entries_sha256 ((sha256,path,source)>(?,?,?))"
    )
    assert "TEMP B-TREE" not in oldest + used + digests


def test_more_than_ten_thousand_are_not_counted(index: SqlIndex) -> None:
    index.put([entry_of(f"{number:05}", version=1) for number in range(10_020)])
    assert index.recent("central", limit=5)[1] == 10_001
    assert index.recent("central", limit=5, offset=10_018)[1] == 10_001
    page, total = index.recent("central", search="0999", limit=20)
    assert (len(page), total) == (11, 11)


def test_what_was_put_is_there_after_reopening(tmp_path: Path) -> None:
    with closing(open_index(tmp_path)) as index:
        index.put([entry_of("p")])
        index.count({("central", "p"): (1, 5.0)})
    with closing(open_index(str(tmp_path))) as index:
        assert index.find("p", ["central"]) == [entry_of("p")]
        assert index.downloads("central", "p") == (1, 5.0)


def test_close_closes_the_connections_of_every_thread(index: SqlIndex, tmp_path: Path) -> None:
    def use(number: int) -> None:
        index.put([entry_of(f"{number}")])
        index.find(f"{number}", ["central"])
        index.count({("central", f"{number}"): (1, 5.0)})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(use, range(40)))
        index.close()
        # SQLite removes its side files with the last connection.
        assert {path.name for path in tmp_path.iterdir()} == {"index.sqlite", "downloads.sqlite"}
    index.close()
    for use_closed in (lambda: index.find("p", ["central"]), lambda: index.put([entry_of("p")])):
        with pytest.raises(IndexUnavailable, match="the index is closed"):
            use_closed()


def test_counting_downloads_leaves_the_entries_database_alone(
    index: SqlIndex, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as onlooker:
        (before,) = onlooker.execute("PRAGMA data_version").fetchone()
        index.count({("central", "p"): (1, 5.0)})
        assert onlooker.execute("PRAGMA data_version").fetchone() == (before,)
        index.put([entry_of("p")])
        assert onlooker.execute("PRAGMA data_version").fetchone() != (before,)


def test_a_put_that_fails_halfway_puts_nothing(index: SqlIndex, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as connection:
        connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.path = 'secret/path' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    with pytest.raises(IndexUnavailable) as caught:
        index.put([entry_of("p"), entry_of("secret/path")])
    assert caught.value.message == "cannot write the index: SQLITE_CONSTRAINT_TRIGGER"
    assert caught.value.__cause__ is not None
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"
    assert index.find("p", ["central"]) == []
    index.put([entry_of("p")])
    assert index.find("p", ["central"]) == [entry_of("p")]


def test_a_table_that_is_gone_makes_the_index_unavailable(index: SqlIndex, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as connection:
        connection.execute("DROP TABLE entries")
    for _ in range(2):
        with pytest.raises(IndexUnavailable, match="cannot read the index: SQLITE_ERROR"):
            index.find("p", ["central"])
    with pytest.raises(IndexUnavailable, match="cannot read the index: SQLITE_ERROR"):
        index.page("central")


def test_text_that_is_not_unicode_is_refused(index: SqlIndex) -> None:
    with pytest.raises(InvalidRequest, match="cannot read the index: not Unicode text"):
        index.find("\udc80", ["central"])
    with pytest.raises(InvalidRequest, match="cannot write the index: not Unicode text"):
        index.put([entry_of("\udc80")])


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"not a database" * 1000)
    named = f"cannot use the folder {tmp_path}: cannot open the index: SQLITE_NOTADB"
    with pytest.raises(IndexUnavailable, match=re.escape(named)):
        open_index(tmp_path)


def test_a_place_that_cannot_be_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="must be a folder, not a file"):
        open_index(tmp_path / "file")
    with pytest.raises(IndexUnavailable, match=r"cannot use the folder .*: Not a directory"):
        open_index(tmp_path / "file" / "index")
    with pytest.raises(ConfigError, match="no index at mysql:// URLs") as caught:
        open_index("mysql://user:hunter2@host/db")
    assert "hunter2" not in caught.value.message
