"""``virtreg apply``: stored registries become those of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from tests.cli.managing.places import Command

_FILE = """
[[upstream]]
name = "central"
url = "https://a.example.org/m2/"
[[upstream]]
name = "inside"
url = "https://Inside.example.org:443/m2"
username = "ann"
password = "file:password"
[[upstream.rules]]
rule_type = "deny"
target_coordinate = "group_id"
pattern = "com.evil*"
[[upstream]]
name = "docker-hub"
url = "https://docker.io"

[[registry]]
name = "all-{group}"
format = "maven"
upstreams = ["inside", "central"]
group = "{group}"
description = "Everything"
[[registry.ownerships]]
target_coordinate = "group_id"
pattern = "com.ours*"
upstreams = ["inside"]

[[registry]]
name = "open-{group}"
format = "maven"
upstreams = ["central"]
group = "{group}"

[[registry]]
name = "images-{group}"
format = "container"
upstreams = ["docker-hub"]
group = "{group}"
"""

Write = Callable[..., Path]


@pytest.fixture
def write(run: Command, tmp_path: Path) -> Write:
    """The file, with texts in place of others."""

    def write(*changes: tuple[str, str], password: str = "pa55word") -> Path:
        text = _FILE
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (tmp_path / "password").write_text(password)
        (tmp_path / "password").chmod(0o600)
        file = tmp_path / "wanted.toml"
        file.write_text(text.format(group=run.group))
        return file

    return write


def _lines(run: Command, file: Path, *options: str) -> list[str]:
    result = run("apply", str(file), "--dry-run", *options)
    assert result.exit_code == (2 if result.stdout else 0), result.output
    return result.stdout.replace(f"-{run.group}", "").splitlines()


def test_all_there_is_in_a_file_is_made_once(run: Command, write: Write) -> None:
    file = write()
    expected = [
        f"+ registry 'all' (maven, group '{run.group}')",
        f"+ registry 'open' (maven, group '{run.group}')",
        f"+ registry 'images' (container, group '{run.group}')",
        f"+ upstream 'inside' in group '{run.group}': https://inside.example.org/m2, as 'ann'",
        "+ upstream 'inside': deny group_id wildcard com.evil*",
        f"+ upstream 'central' in group '{run.group}': https://a.example.org/m2",
        f"+ upstream 'docker-hub' in group '{run.group}': https://registry-1.docker.io",
        "~ registry 'all': upstreams inside, central",
        "~ registry 'all': ownerships group_id com.ours* from inside",
        "~ registry 'open': upstreams central",
        "~ registry 'images': upstreams docker-hub",
    ]
    assert _lines(run, file) == expected
    assert run.json("registry", "list") == []
    applied = run("apply", str(file))
    assert (applied.exit_code, applied.stderr) == (0, "applied\n")
    assert applied.stdout.replace(f"-{run.group}", "").splitlines() == expected
    again = run("apply", str(file))
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "nothing to do\n")
    listed = run.json("upstream", "list", "--registry", f"all-{run.group}")
    assert [(each["name"], each["username"]) for each in listed] == [
        ("inside", "ann"),
        ("central", None),
    ]


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            ('upstreams = ["inside", "central"]', 'upstreams = ["central", "inside"]'),
            ["~ registry 'all': upstreams inside, central → central, inside"],
        ),
        (
            ('description = "Everything"', 'description = "Most"\norder = "strict"'),
            ["~ registry 'all': order cached → strict, description Everything → Most"],
        ),
        (
            ("a.example.org", "b.example.org"),
            [
                "~ upstream 'central': url https://a.example.org/m2 → https://b.example.org/m2",
            ],
        ),
        (
            ('username = "ann"', 'username = "bert"'),
            ["~ upstream 'inside': username ann → bert"],
        ),
        (
            ('username = "ann"\npassword = "file:password"\n', "read_timeout = 3\n"),
            ["~ upstream 'inside': read_timeout 30 → 3, username ann → None"],
        ),
        (
            ('"docker-hub"', '"hub"'),
            ["~ upstream 'docker-hub': name docker-hub → hub"],
        ),
        (
            ("com.evil*", "com.bad*"),
            [
                "+ upstream 'inside': deny group_id wildcard com.bad*",
                "- upstream 'inside': deny group_id wildcard com.evil*",
            ],
        ),
        (
            ('pattern = "com.ours*"', 'pattern = "com.mine*"'),
            ["~ registry 'all': ownerships group_id com.mine* from inside"],
        ),
        (
            ('name = "open-', 'name = "free-'),
            [
                "+ registry 'free' (maven, group '{group}')",
                "~ registry 'free': upstreams central",
                "- registry 'open' (maven)",
            ],
        ),
        (
            ('upstreams = ["central"]', 'upstreams = ["inside"]'),
            ["~ registry 'open': upstreams central → inside"],
        ),
    ],
)
def test_what_differs_is_told_and_brought_about(
    run: Command, write: Write, change: tuple[str, str], lines: list[str]
) -> None:
    assert run("apply", str(write())).exit_code == 0
    file = write(change)
    assert _lines(run, file) == [line.format(group=run.group) for line in lines]
    applied = run("apply", str(file), "--yes")
    assert applied.exit_code == 0, applied.output
    assert _lines(run, file) == []


def test_a_changed_password_is_noticed_and_never_printed(run: Command, write: Write) -> None:
    run.done("apply", str(write()))
    file = write(password="an0ther")
    assert _lines(run, file) == ["~ upstream 'inside': another password"]
    result = run("apply", str(file))
    assert not any(secret in result.output for secret in ("an0ther", "pa55word"))
    assert _lines(run, file) == []


def test_what_a_file_does_not_have_goes_once_that_is_allowed(run: Command, write: Write) -> None:
    run.done("registry", "create", "old", "--format", "maven")
    run.done("upstream", "create", "old", "gone", "https://gone.example.org")
    file = write()
    refused = run("apply", str(file))
    assert refused.exit_code == 2
    assert "2 things would be deleted; say --yes" in refused.stderr
    assert [each["name"] for each in run.json("registry", "list")] == ["old"]
    run.done("apply", str(file), "--yes")
    assert "old" not in [each["name"] for each in run.json("registry", "list")]
    assert "gone" not in [each["name"] for each in run.json("upstream", "list")]


def test_an_upstream_keeps_its_cache_where_it_moves_to_a_new_registry(
    run: Command, write: Write
) -> None:
    run.done("apply", str(write()))
    before = {each["name"]: each["id"] for each in run.json("upstream", "list")}
    run.done("apply", str(write(('name = "all-', 'name = "every-'))), "--yes")
    assert {each["name"]: each["id"] for each in run.json("upstream", "list")} == before


def test_what_is_never_stored_is_refused_before_anything_changes(
    run: Command, write: Write
) -> None:
    file = write(
        ('url = "https://docker.io"', 'url = "https://docker.io"\nallow_private = ["10.0.0.0/8"]'),
        ('description = "Everything"', "public = true"),
        ('url = "https://a.', 'cache_validity_hours = 0.5\nurl = "https://a.'),
    )
    said = run.refused("apply", str(file), code=2)
    own = "is for the server's own file, and not stored"
    assert said.splitlines() == [
        f"Error: {file}: registry 'all-{run.group}': public {own}",
        f"{file}: upstream 'central': cache_validity_hours must be whole hours to be stored",
        f"{file}: upstream 'docker-hub': allow_private {own}",
    ]
    assert run.json("registry", "list") == []


def test_what_the_servers_own_file_declares_is_left_to_it(here: Command) -> None:
    result = here("apply", str(here.folder / "server.toml"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "registry 'main' is declared by the server's own file",
        "nothing to do",
    ]


def test_a_run_that_fails_is_gone_on_with(run: Command, write: Write) -> None:
    file = write(("https://docker.io", "https://10.0.0.1"))
    failed = run("apply", str(file))
    assert failed.exit_code == 1
    assert "applied in part" in failed.stderr
    assert "url is not allowed" in failed.stderr
    assert _lines(run, write())[0].startswith("+ upstream 'docker-hub'")
    run.done("apply", str(write()))
    assert _lines(run, write()) == []


def test_a_folder_that_no_server_has_used_is_prepared(tmp_path: Path, here: Command) -> None:
    (tmp_path / "password").write_text("x")
    (tmp_path / "password").chmod(0o600)
    file = tmp_path / "wanted.toml"
    file.write_text(_FILE.format(group="builds"))
    here.bare.done("apply", str(file))
    again = here.bare("apply", str(file), "--dry-run")
    assert (again.exit_code, again.stdout) == (0, "")


def test_trying_makes_no_data_folder_and_applying_says_which_one_it_makes(
    here: Command, tmp_path: Path
) -> None:
    file = tmp_path / "wanted.toml"
    file.write_text(_FILE[: _FILE.index("[[registry]]")].replace('"file:password"', '"env:PW"'))
    with file.open("a") as opened:
        opened.write('[[registry]]\nname = "all"\nformat = "maven"\nupstreams = ["central"]\n')
    folder = tmp_path / "virtreg-data"
    command = evolve(here.bare, environ={"PW": "pa55word"})
    tried = command("apply", str(file), "--dry-run")
    assert (tried.exit_code, folder.exists()) == (2, False)
    assert tried.stderr == f"the data folder is {folder}, which is new\n"
    assert tried.stdout.startswith("+ registry 'all'")
    made = command("apply", str(file))
    assert (made.exit_code, made.stdout) == (0, tried.stdout)
    again = command("apply", str(file), "--dry-run")
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == f"the data folder is {folder}\nnothing to do\n"
