"""``virtreg registry``, over the API."""

from __future__ import annotations

from tests.cli.managing.places import Command, Served


def test_a_registry_lives_and_dies(run: Command) -> None:
    created = run.json("registry", "create", "tools", "--format", "maven", "--description", "Mine")
    shown = run.json("registry", "show", "tools")
    assert shown == {**created, "registry_upstreams": []}
    run.done("registry", "update", created["id"], "--name", "builds", "--order", "strict")
    (listed,) = run.json("registry", "list")
    assert (listed["id"], listed["name"], listed["order"]) == (created["id"], "builds", "strict")
    run.done("registry", "delete", "builds")
    assert run.json("registry", "list") == []


def test_lists_are_aligned_columns(run: Command) -> None:
    for name, kind in (("a", "maven"), ("longer-name", "container")):
        run.done("registry", "create", name, "--format", kind)
    head, *lines = run.done("registry", "list").splitlines()
    assert [line.split()[1:3] for line in lines] == [["a", "maven"], ["longer-name", "container"]]
    assert {line.index(kind) for line, kind in zip(lines, ("maven", "container"), strict=True)} == {
        head.index("FORMAT")
    }
    (images,) = run.json("registry", "list", "--format", "container")
    assert images["name"] == "longer-name"


def test_a_name_that_several_have_is_told_apart_by_its_id(run: Command) -> None:
    first = run.json("registry", "create", f"twin-{run.group}", "--format", "maven")
    second = run.json("registry", "create", f"twin-{run.group}", "--format", "container")
    # The first has the name in URLs, and so it is the one that is meant.
    assert run.json("registry", "show", first["slug"])["id"] == first["id"]
    assert run.json("registry", "show", second["slug"])["id"] == second["id"]


def test_what_the_api_refuses_is_told_in_its_words_and_what_they_mean(run: Command) -> None:
    run.done("registry", "create", "tools", "--format", "maven")
    said = run.refused("registry", "create", "tools", "--format", "maven")
    assert said == (
        "Error: group_id has already been taken\nthe group has a registry of this format and name\n"
    )
    assert "name is empty" in run.refused("registry", "create", " ", "--format", "maven")
    missing = run.refused("registry", "show", "other")
    assert missing == f"Error: there is no registry 'other' in group {run.group!r}\n"
    assert "there is no registry '999'" in run.refused("registry", "delete", 999)


def test_what_the_file_declares_is_changed_there(run: Command) -> None:
    said = run.refused("registry", "update", "main", "--name", "x", "--group", "default")
    assert "is declared in the server's configuration file" in said


def test_a_group_that_is_not_there_is_told_so(run: Command) -> None:
    said = run.refused("registry", "list", "--group", "no such")
    assert said.startswith("Error: there is no group 'no such'")
    assert "--group says which one is meant" in said


def test_changing_nothing_is_a_usage_error(run: Command) -> None:
    run.done("registry", "create", "tools", "--format", "maven")
    assert "say what to change" in run.refused("registry", "update", "tools", code=2)


def test_a_registry_that_is_made_here_is_served_by_the_server(
    here: Command, served: Served
) -> None:
    made = here.json("registry", "create", "fresh", "--format", "maven")
    here.done("upstream", "create", "fresh", "own", f"{served.origin.url}/")
    path = "org/example/fresh/1.0/fresh-1.0.jar"
    served.origin.put(path, b"PK fresh")
    # Elsewhere it is known at once, and pulls follow within a second.
    assert served.command(here=False).json("registry", "show", made["id"])["name"] == "fresh"
    assert here.json("cache", "refresh", "fresh", path)["result"] == "found"
