"""``virtreg policy``, ``storage`` and ``cleanup``."""

from __future__ import annotations

import re

import pytest

from tests.cli.managing.places import BODIES, JAR, POM, Command
from tests.e2e.processes import until


@pytest.fixture
def stocked(run: Command) -> Command:
    """With two files cached."""
    run.done("registry", "create", "tools", "--format", "maven")
    run.done("upstream", "create", "tools", "origin", run.origin.url)
    for path in (JAR, POM):
        run.done("cache", "refresh", "tools", path)
    # A server answers first, and keeps then.
    until(lambda: len(run.json("cache", "list", "origin")) == 2, "cached files")
    return run


def test_a_policy_is_set_in_steps_and_removed(run: Command) -> None:
    none = f"Error: group {run.group!r} has no cleanup policy\n"
    assert run.refused("policy", "show") == none
    run.done("policy", "set", "--keep-days", 10, "--keep-bytes", "5GiB")
    run.done("policy", "set", "--enabled", "--cadence", 14)
    shown = run.json("policy", "show")
    assert (shown["keep_n_days_after_download"], shown["keep_bytes"]) == (10, 5 * 1024**3)
    assert (shown["enabled"], shown["cadence"]) == (True, 14)
    run.done("policy", "set", "--disabled", "--keep-bytes", "none")
    shown = run.json("policy", "show")
    assert (shown["enabled"], shown["keep_bytes"]) == (False, None)
    assert re.search(r"^keep_n_days_after_download +10$", run.done("policy", "show"), re.MULTILINE)
    run.done("policy", "remove")
    assert run.refused("policy", "remove") == none
    assert run.refused("policy", "run") == none
    assert "does not have a valid value" in run.refused("policy", "set", "--keep-days", 1000)


def test_a_run_tells_what_it_removed(stocked: Command) -> None:
    stocked.done("policy", "set", "--keep-bytes", "0")
    size = sum(map(len, BODIES.values()))
    tried = stocked.done("policy", "run", "--dry-run")
    assert tried == f"2 entries would be removed, {size} bytes\n"
    assert len(stocked.json("cache", "list", "origin")) == 2
    told = stocked.json("policy", "run")
    assert (told["deleted_entries_count"], told["finished"]) == (2, True)
    assert stocked.json("cache", "list", "origin") == []


def test_what_the_last_run_removed_is_shown_by_format(stocked: Command) -> None:
    stocked.done("policy", "set", "--keep-bytes", "0")
    stocked.done("policy", "run")
    shown = stocked.done("policy", "show")
    assert re.search(
        r"^last_run_detailed_metrics +maven: deleted_entries_count: 2, deleted_size: [0-9]+$",
        shown,
        re.MULTILINE,
    )


def test_a_quota_is_in_force_on_the_server_without_waiting_for_its_next_look(
    stocked: Command,
) -> None:
    stocked.done("storage", "--quota", "1", "--when-full", "evict")
    # The server looks once a minute by itself.
    until(lambda: stocked.json("cache", "list", "origin") == [], "room")


def test_storage_is_told_by_registry_and_upstream(run: Command) -> None:
    run.done("registry", "create", "tools", "--format", "maven")
    run.done("upstream", "create", "tools", "origin", run.origin.url)
    lines = run.done("storage", "--quota", "5GB", "--when-full", "stream").splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["WHAT", "registry", "upstream"]
    total = f"group {run.group}: 0 entries, 0 bytes; quota 5.0 GB, then stream; as of "
    assert lines[-1].startswith(total)
    assert run.json("storage", "--quota", "none")["storage_quota_bytes"] is None
    assert "is not a size" in run.refused("storage", "--quota", "5 apples", code=2)


def test_cleanup_runs_the_policies_of_a_data_folder(here: Command) -> None:
    file = str(here.folder / "server.toml")
    here.done("registry", "create", "tools", "--format", "maven")
    here.done("upstream", "create", "tools", "origin", here.origin.url)
    here.done("cache", "refresh", "tools", JAR)
    here.done("policy", "set", "--keep-bytes", "0")
    bare = here.bare
    tried = bare.done("cleanup", "--group", here.group, "--dry-run", file)
    assert tried.splitlines() == [
        f"{here.group}: maven: 1 entry would be removed, 8 bytes",
        f"{here.group}: 1 entry would be removed, 8 bytes would be freed",
    ]
    done = bare.done("cleanup", "--group", here.group, file)
    # Other groups keep the same file.
    assert done.startswith(f"{here.group}: maven: 1 entry removed, ")
    assert here.json("cache", "list", "origin") == []
    assert "has no cleanup policy" in bare.refused("cleanup", "--group", "nobody", file)


def test_a_quota_holds_for_what_is_fetched_here(here: Command) -> None:
    here.done("registry", "create", "tools", "--format", "maven")
    here.done("upstream", "create", "tools", "origin", here.origin.url)
    here.done("storage", "--quota", "10", "--when-full", "stream")
    assert here.json("cache", "refresh", "tools", JAR)["result"] == "found"
    assert here.json("cache", "refresh", "tools", POM)["result"] == "found"
    kept = [each["relative_path"] for each in here.json("cache", "list", "origin")]
    assert kept == [f"/{JAR}"]
