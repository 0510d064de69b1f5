"""``virtreg upstream`` and its rules, over the API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.managing.places import JAR, Command, Served
from tests.e2e.processes import until
from virtreg.cli.reaching import reached


@pytest.fixture
def stocked(run: Command) -> Command:
    """With the registry ``tools`` and its upstreams ``one`` and ``two``."""
    run.done("registry", "create", "tools", "--format", "maven")
    for name in ("one", "two"):
        run.done("upstream", "create", "tools", name, f"https://{name}.example.org/maven2")
    return run


def _order(run: Command, registry: str = "tools") -> list[str]:
    return [each["name"] for each in run.json("upstream", "list", "--registry", registry)]


def test_upstreams_are_made_changed_and_deleted(stocked: Command) -> None:
    made = stocked.json(
        *("upstream", "create", "tools", "three", "https://three.example.org"),
        *("--on-error", "continue", "--cache-validity-hours", 5),
    )
    assert (made["on_error"], made["cache_validity_hours"]) == ("continue", 5)
    assert made["registry_upstream"]["position"] == 3
    stocked.done("upstream", "update", "three", "--name", "third", "--read-timeout", 7)
    shown = stocked.json("upstream", "show", "third")
    assert (shown["read_timeout"], shown["on_error"]) == (7, "continue")
    stocked.done("upstream", "delete", made["id"])
    assert _order(stocked) == ["one", "two"]


def test_upstreams_are_searched_in_the_group(stocked: Command) -> None:
    assert {each["name"] for each in stocked.json("upstream", "list")} == {"one", "two"}
    (found,) = stocked.json("upstream", "list", "--search", "TW")
    assert found["name"] == "two"
    assert "--registry does not go" in stocked.refused(
        "upstream", "list", "--search", "x", "--registry", "tools", code=2
    )


def test_upstreams_are_moved_linked_and_unlinked(stocked: Command) -> None:
    stocked.done("upstream", "move", "two", 1, "--registry", "tools")
    assert _order(stocked) == ["two", "one"]
    stocked.done("registry", "create", "more", "--format", "maven")
    stocked.done("upstream", "link", "one", "--registry", "more")
    assert _order(stocked, "more") == ["one"]
    assert "upstream_id has already been taken" in stocked.refused(
        "upstream", "link", "one", "--registry", "more"
    )
    stocked.done("upstream", "unlink", "one", "--registry", "tools")
    assert (_order(stocked), _order(stocked, "more")) == (["two"], ["one"])
    assert "has no upstream 'one'" in stocked.refused(
        "upstream", "move", "one", 1, "--registry", "tools"
    )


def test_a_password_is_read_and_never_shown(stocked: Command, tmp_path: Path) -> None:
    stocked.done("upstream", "update", "one", "--username", "ann", stdin="s3cr3t\n")
    shown = stocked("upstream", "show", "one")
    assert "ann" in shown.stdout
    assert "s3cr3t" not in shown.output
    file = tmp_path / "password"
    file.write_text("other\n")
    stocked.done("upstream", "update", "one", "--username", "bert", "--password-file", str(file))
    assert stocked.json("upstream", "show", "one")["username"] == "bert"
    stocked.done("upstream", "update", "one", "--no-login")
    assert stocked.json("upstream", "show", "one")["username"] is None
    assert "the password is empty" in stocked.refused(
        "upstream", "update", "one", "--username", "c"
    )


def test_the_password_is_what_was_read_without_its_line_end(stocked: Command) -> None:
    stocked.done("upstream", "update", "one", "--username", "ann", stdin="p\u00e4ss w\n")
    # One of the same URL and login is refused: so it is known what is kept.
    said = stocked.refused(
        *("upstream", "create", "tools", "twin", "https://one.example.org/maven2"),
        *("--username", "ann"),
        stdin="p\u00e4ss w\r\n",
    )
    assert said.startswith("Error: group already has an upstream with the same credentials\n")
    assert "`virtreg upstream link`" in said


def test_upstreams_are_tried_out_before_and_after(stocked: Command, served: Served) -> None:
    stocked.done("upstream", "create", "tools", "origin", served.origin.url)
    assert stocked.done("upstream", "test", "origin") == "ok: origin\n"
    assert stocked.done("upstream", "test", served.origin.url, "--new", "maven").startswith("ok: ")
    result = stocked("upstream", "test", "https://nowhere.invalid", "--new", "maven")
    assert result.exit_code == 1
    assert result.stdout.startswith("problem: https://nowhere.invalid: ")
    assert "--username" in stocked.refused("upstream", "test", "one", "--username", "x", code=2)


def test_rules_are_added_tried_listed_and_removed(stocked: Command, served: Served) -> None:
    stocked.done("upstream", "create", "tools", "origin", served.origin.url)
    stocked.done("upstream", "move", "origin", 1, "--registry", "tools")
    stocked.done("cache", "refresh", "tools", JAR)
    rule = ("upstream", "rules", "add", "origin", "deny", "group_id", "org.example*")
    until(lambda: stocked.json("cache", "list", "origin") != [], "cached file")
    tried = stocked(
        "upstream", "rules", "add", "origin", "deny", "group_id", "org.ex*", "--dry-run"
    )
    assert tried.stdout == f"/{JAR}\n"
    assert stocked.json("upstream", "rules", "list", "origin") == []
    made = stocked.json(*rule)
    (listed,) = stocked.json("upstream", "rules", "list", "origin")
    assert listed == made
    explained = stocked.json("cache", "explain", "tools", JAR)
    assert "org.example*" in explained["upstreams"][0]["denied"]
    stocked.done("upstream", "rules", "remove", made["id"])
    assert stocked.json("upstream", "rules", "list", "origin") == []
    assert "there is no rule" in stocked.refused("upstream", "rules", "remove", made["id"])
    wrong = stocked.refused("upstream", "rules", "add", "one", "deny", "version", "(", "--regex")
    assert wrong.startswith("Error: pattern ")


def test_a_private_address_is_told_who_may_open_it(stocked: Command) -> None:
    said = stocked.refused("upstream", "create", "tools", "x", "http://10.0.0.1/m2")
    assert "url is not allowed: its host is a private address\n" in said
    assert "`allow_private` of [management]" in said


def test_an_upstream_is_not_put_among_those_of_another_format(stocked: Command) -> None:
    images = stocked.json("registry", "create", "images", "--format", "container")
    said = stocked.refused("upstream", "link", "one", "--registry", "images")
    assert said.endswith(f"is of the format maven, registry {images['id']} 'images' of container\n")


def test_rules_are_for_the_coordinates_of_the_format(stocked: Command) -> None:
    said = stocked.refused("upstream", "rules", "add", "one", "deny", "image", "x")
    assert said.endswith("its rules are for group_id, artifact_id, version\n")
    said = stocked.refused("upstream", "rules", "add", "one", "deny", "groupid", "x", code=2)
    assert "group_id" in said


def test_a_registry_that_is_an_upstream_is_shown_where_it_is(stocked: Command) -> None:
    inner = stocked.json("registry", "show", "tools")
    outer = _with_local(stocked, inner["id"])
    shown = stocked.done("registry", "show", outer["id"])
    assert re.search(
        rf"^registry_upstreams +1\. everybodys \([0-9]+\): registry {inner['id']}$",
        shown,
        re.MULTILINE,
    )
    for options in ((), ("--registry", outer["id"])):
        listed = stocked.done("upstream", "list", *options)
        assert re.search(rf" everybodys .* registry {inner['id']} ", f" {listed}")


def test_applying_a_file_takes_local_upstreams_away(stocked: Command, tmp_path: Path) -> None:
    inner = stocked.json("registry", "show", "tools")
    _with_local(stocked, inner["id"])
    file = tmp_path / "wanted.toml"
    file.write_text(
        '[[upstream]]\nname = "everybodys"\nurl = "https://all.example.org/m2"\n'
        '[[registry]]\nname = "outer"\nformat = "maven"\nupstreams = ["everybodys"]\n'
        f'group = "{stocked.group}"\n'
    )
    tried = stocked("apply", str(file), "--dry-run")
    assert tried.exit_code == 2
    assert f"- upstream 'everybodys': registry {inner['id']}\n" in tried.stdout
    stocked.done("apply", str(file), "--yes")
    assert stocked.done("apply", str(file)) == ""
    (left,) = stocked.json("upstream", "list")
    assert left["url"] == "https://all.example.org/m2"


def _with_local(run: Command, inner: int) -> dict[str, Any]:
    """A registry that has another one as its upstream, which only the API makes."""
    outer: dict[str, Any] = run.json("registry", "create", "outer", "--format", "maven")
    with reached(run.folder / "server.toml", None, None, None) as client:
        client.post(
            f"/virtual_registries/packages/maven/registries/{outer['id']}/local/upstreams",
            {"name": "everybodys", "local_registry_id": inner},
        )
    return outer
