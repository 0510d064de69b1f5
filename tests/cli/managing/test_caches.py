"""``virtreg cache``, over the API."""

from __future__ import annotations

import json
import re
import threading

import pytest

from tests.cli.managing.places import BODIES, JAR, POM, Command
from tests.e2e.processes import until


@pytest.fixture
def stocked(run: Command) -> Command:
    """With the registry ``tools`` over the origin, and two files cached."""
    run.done("registry", "create", "tools", "--format", "maven")
    run.done("upstream", "create", "tools", "origin", f"{run.origin.url}/")
    for path in (JAR, POM):
        run.done("cache", "refresh", "tools", path)
    # A server answers first, and keeps then.
    until(lambda: len(_paths(run)) == 2, "cached files")
    return run


def _paths(run: Command, *options: str | int) -> list[str]:
    return [each["relative_path"] for each in run.json("cache", "list", "origin", *options)]


def test_what_is_cached_is_listed_and_searched(stocked: Command) -> None:
    assert set(_paths(stocked)) == {f"/{JAR}", f"/{POM}"}
    assert _paths(stocked, "--search", ".JAR") == [f"/{JAR}"]
    head, line = stocked.done("cache", "list", "origin", "--search", "jar").splitlines()
    assert head.split()[:2] == ["SIZE", "DOWNLOADS"]
    assert line.rstrip().endswith(f"/{JAR}")
    assert f"{len(BODIES[JAR])} bytes" in line


def test_more_than_the_limit_is_said_to_be_there(stocked: Command) -> None:
    result = stocked("cache", "list", "origin", "--limit", 1, "--json")
    assert len(json.loads(result.stdout)) == 1
    assert result.stderr == "there are more than 1; see --limit and --search\n"


def test_files_are_deleted_by_path(stocked: Command) -> None:
    stocked.done("cache", "delete", "origin", JAR)
    assert _paths(stocked) == [f"/{POM}"]
    assert "is not cached" in stocked.refused("cache", "delete", "origin", JAR)


def test_upstreams_and_registries_are_purged(stocked: Command) -> None:
    stocked.done("cache", "purge", "--upstream", "origin")
    assert _paths(stocked) == []
    stocked.done("cache", "refresh", "tools", JAR)
    stocked.done("cache", "purge", "tools")
    assert _paths(stocked) == []
    assert "either" in stocked.refused("cache", "purge", code=2)


def test_a_path_is_explained(stocked: Command) -> None:
    told = stocked.done("cache", "explain", "tools", JAR).splitlines()
    assert told[0].startswith(f"/{JAR}: serve: ")
    assert (
        told[1]
        == "1. " + stocked.json("cache", "explain", "tools", JAR)["upstreams"][0]["upstream"]
    )
    assert re.search(r"   cached .*, 8 bytes, served unchecked until ", told[2])
    assert "path is invalid" in stocked.refused("cache", "explain", "tools", "../x")


def test_what_is_not_there_fails_to_be_refreshed(stocked: Command) -> None:
    result = stocked("cache", "refresh", "tools", "org/example/none/1/none-1.jar")
    assert result.exit_code == 1
    assert result.stdout.startswith("/org/example/none/1/none-1.jar: absent: ")


def test_paths_are_prefetched(stocked: Command) -> None:
    stocked.done("cache", "purge", "tools")
    result = stocked("cache", "prefetch", "tools", JAR, f"/{POM}")
    assert result.exit_code == 0, result.output
    if stocked.here:
        assert result.stdout.splitlines() == [f"ok: /{JAR}", f"ok: /{POM}"]
    until(lambda: set(_paths(stocked)) == {f"/{JAR}", f"/{POM}"}, "prefetched files")


def test_what_cannot_be_prefetched_here_is_a_problem(here: Command) -> None:
    here.done("registry", "create", "tools", "--format", "maven")
    here.done("upstream", "create", "tools", "origin", here.origin.url)
    result = here("cache", "prefetch", "tools", JAR, "org/example/none/1/none-1.jar")
    assert result.exit_code == 1
    ok, problem = result.stdout.splitlines()
    assert ok == f"ok: /{JAR}"
    assert problem.startswith("problem: /org/example/none/1/none-1.jar: ")


def test_no_thread_is_left_behind(here: Command) -> None:
    here.done("registry", "create", "tools", "--format", "maven")
    here.done("upstream", "create", "tools", "origin", here.origin.url)
    before = set(threading.enumerate())
    here.done("cache", "prefetch", "tools", JAR)
    here.done("cache", "refresh", "tools", POM)
    left = [each for each in set(threading.enumerate()) - before if each.name.startswith("virtreg")]
    for each in left:
        each.join(10)
    assert not [each for each in left if each.is_alive()]
