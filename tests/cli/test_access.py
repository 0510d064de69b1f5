"""Users, groups, members and tokens, as they are managed on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.backends.auth.secret_text import digest_of, kind_of, new_secret
from virtreg.backends.directory import FILE, SqlDirectory, open_directory
from virtreg.cli.access import group, member, user
from virtreg.cli.access_tokens import token
from virtreg.cli.commands import virtreg
from virtreg.cli.issuing import parse_expires, parse_scopes
from virtreg.cli.listing import utc
from virtreg.core.identity import Role, Token, TokenKind, TokenScope, User
from virtreg.testing.directories import personal

Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(data: Path) -> Run:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(virtreg, [*arguments, "--data", str(data)])

    return run


@pytest.fixture
def peopled(run: Run) -> Run:
    """With the users anna and bert, and the groups builds and tools."""
    for line in ("user add anna", "user add bert", "group add builds", "group add tools"):
        assert run(*line.split()).exit_code == 0
    return run


def opened(data: Path) -> closing[SqlDirectory]:
    return closing(open_directory(data))


def listed(run: Run, *arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_users_are_added_listed_blocked_and_removed(peopled: Run, data: Path) -> None:
    assert peopled("user", "add", "carl", "--administrator").exit_code == 0
    peopled("member", "set", "builds", "anna", "developer")
    assert peopled("user", "block", "bert").exit_code == 0
    assert listed(peopled, "user", "list") == [
        {
            "name": "anna",
            "administrator": False,
            "blocked": False,
            "roles": {"builds": "developer"},
        },
        {"name": "bert", "administrator": False, "blocked": True, "roles": {}},
        {"name": "carl", "administrator": True, "blocked": False, "roles": {}},
    ]
    peopled("user", "unblock", "bert")
    peopled("user", "remove", "anna")
    with opened(data) as directory:
        assert directory.users() == [User("bert"), User("carl", administrator=True)]


def test_blocking_an_administrator_leaves_it_one(peopled: Run, data: Path) -> None:
    peopled("user", "add", "carl", "--administrator")
    peopled("user", "block", "carl")
    with opened(data) as directory:
        assert directory.user("carl") == User("carl", administrator=True, blocked=True)


def test_groups_are_switched(peopled: Run) -> None:
    assert peopled("group", "switch", "builds", "off").exit_code == 0
    assert [each["enabled"] for each in listed(peopled, "group", "list")] == [False, True]
    assert peopled("group", "switch", "builds", "on").exit_code == 0
    assert listed(peopled, "group", "list") == [
        {"id": 1, "name": "builds", "enabled": True},
        {"id": 2, "name": "tools", "enabled": True},
    ]


def test_members_have_one_role(peopled: Run, data: Path) -> None:
    for role in ("owner", "guest"):
        assert peopled("member", "set", "builds", "anna", role).exit_code == 0
    peopled("member", "set", "builds", "bert", "reporter")
    assert listed(peopled, "member", "list", "builds") == [
        {"user": "anna", "role": "guest"},
        {"user": "bert", "role": "reporter"},
    ]
    assert peopled("member", "remove", "builds", "bert").exit_code == 0
    with opened(data) as directory:
        assert directory.members("builds") == {"anna": Role.GUEST}


_TAKEN = "token username 'Anna': there is a user 'anna'"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("user add anna", "there is a user 'anna' already"),
        (
            "user add ANNA",
            "user 'ANNA': there is a user 'anna', which differs in case or Unicode form alone",
        ),
        ("user remove nobody", "there is no user 'nobody'"),
        ("user block nobody", "there is no user 'nobody'"),
        ("group add builds", "there is a group 'builds' already"),
        ("group switch nowhere on", "there is no group 'nowhere'"),
        ("member set nowhere anna guest", "there is no group 'nowhere'"),
        ("member set builds nobody guest", "there is no user 'nobody'"),
        ("member remove builds anna", "user 'anna' is no member of group 'builds'"),
        ("member list nowhere", "there is no group 'nowhere'"),
        ("token create --kind personal --user nobody", "there is no user 'nobody'"),
        ("token create --kind deploy --group nowhere", "there is no group 'nowhere'"),
        ("token revoke nothing", "there is no token 'nothing'"),
        ("token list --user nobody", "there is no user 'nobody'"),
        ("token list --group nowhere", "there is no group 'nowhere'"),
        ("token create --kind deploy --group builds --username Anna", _TAKEN),
    ],
)
def test_what_contradicts_the_directory_is_status_one(
    peopled: Run, line: str, message: str
) -> None:
    result = peopled(*line.split())
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("user add a:b", "user 'a:b': must not hold blanks or ':'"),
        ("group add gitlab-ci-token", "group 'gitlab-ci-token': is reserved"),
        ("token create --kind personal", "a personal token needs --user"),
        ("token create --kind job", "a job token needs --user"),
        ("token create --kind group", "a group token needs --group"),
        ("token create --kind deploy", "a deploy token needs --group"),
        (
            "token create --kind deploy --group builds --user anna",
            "--user is not for deploy tokens",
        ),
        (
            "token create --kind personal --user anna --group builds",
            "--group is not for personal tokens",
        ),
        (
            "token create --kind deploy --group builds --role guest",
            "--role is not for deploy tokens",
        ),
        (
            "token create --kind job --user anna --username bert",
            "--username is not for job tokens: the user signs in",
        ),
        (
            "token create --kind job --user anna --scopes api,all",
            "--scopes: there is no 'all'; there are: api, read_api, read_virtual_registry, write_",
        ),
        (
            "token create --kind job --user anna --expires soon",
            "--expires: 'soon' is not 30d, 12h, 2027-01-31 or never",
        ),
        (
            "token create --kind job --user anna --expires 2020-01-31",
            "--expires: '2020-01-31' is not in the future",
        ),
        (
            "token create --kind job --user anna --expires 2027-13-01",
            "--expires: '2027-13-01' is no date: month must be in 1..12",
        ),
        ("token create --kind job --user anna --expires=", "--expires: '' is not 30d"),
        ("token create --kind job --user anna --name=", "token name: must have 1 to 255"),
        ("token create --kind personal --user=", "token username: must have 1 to 255"),
        ("token create --kind deploy --group builds --username=", "token username: must have 1"),
        ("member set builds anna gest", "Invalid value for 'ROLE': 'gest' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_status_two(
    peopled: Run, data: Path, line: str, message: str
) -> None:
    result = peopled(*line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: {message}" in result.stderr
    with opened(data) as directory:
        assert directory.tokens() == []


@pytest.mark.parametrize(
    ("flags", "kind", "username", "role"),
    [
        ("--user anna", "personal", "anna", None),
        ("--user anna", "job", "anna", None),
        ("--group builds", "group", r"bot-[0-9a-f]{12}", Role.GUEST),
        ("--group builds --role developer", "group", r"bot-[0-9a-f]{12}", Role.DEVELOPER),
        ("--group builds", "deploy", r"deploy-[0-9a-f]{12}", None),
        ("--group builds --username puller", "deploy", "puller", None),
    ],
)
def test_a_secret_is_alone_on_standard_output(
    peopled: Run, data: Path, flags: str, kind: str, username: str, role: Role | None
) -> None:
    result = peopled("token", "create", "--kind", kind, *flags.split())
    assert result.exit_code == 0
    secret = result.stdout.removesuffix("\n")
    assert kind_of(secret) is TokenKind(kind)
    with opened(data) as directory:
        made = directory.token(digest_of(secret))
    assert made is not None
    assert made.kind is TokenKind(kind)
    assert re.fullmatch(username, made.username)
    assert made.role is role
    assert made.scopes == {TokenScope.READ_VIRTUAL_REGISTRY}
    assert made.name == f"{kind} token"
    assert made.expires_at == made.created_at + (3600 if kind == "job" else 30 * 86400)
    assert result.stderr == (
        f"{kind} token {made.id} signs in as {made.username} and ends at "
        f"{utc(made.expires_at)}; its secret is not shown again\n"
    )


def test_a_token_is_as_it_was_wished(peopled: Run, data: Path) -> None:
    scopes = "api, read_api"
    flags = ("--scopes", scopes, "--expires", "never", "--name", "Anna's laptop")
    result = peopled("token", "create", "--kind", "personal", "--user", "anna", *flags)
    assert "never ends" in result.stderr
    with opened(data) as directory:
        (made,) = directory.tokens()
    assert (made.name, made.expires_at) == ("Anna's laptop", None)
    assert made.scopes == {TokenScope.API, TokenScope.READ_API}


def test_a_new_token_in_json_has_its_secret_and_lists_have_not(peopled: Run) -> None:
    result = peopled("token", "create", "--kind", "deploy", "--group", "builds", "--json")
    made = json.loads(result.stdout)
    secret = made.pop("secret")
    assert kind_of(secret) is TokenKind.DEPLOY
    assert listed(peopled, "token", "list") == [made]
    assert secret not in result.stderr
    assert digest_of(secret) not in result.output


def test_a_secret_in_place_of_an_id_is_not_repeated(peopled: Run, data: Path) -> None:
    secret = peopled("token", "create", "--kind", "personal", "--user", "anna").stdout.strip()
    with opened(data) as directory:
        (made,) = directory.tokens()
    result = peopled("token", "revoke", secret)
    assert (result.exit_code, secret in result.output) == (2, False)
    assert f"ID: that is a secret, of the token {made.id}" in result.stderr
    unknown = new_secret(TokenKind.JOB).reveal()
    assert "of no token that is known here" in peopled("token", "revoke", unknown).stderr
    with opened(data) as directory:
        assert directory.tokens() == [made]


def test_tokens_are_listed_newest_first_with_their_state(peopled: Run, data: Path) -> None:
    scopes = frozenset(TokenScope)
    old = Token("t1", TokenKind.PERSONAL, "old", "anna", scopes, 1.0, expires_at=2.0)
    with opened(data) as directory:
        directory.add_token(old, digest_of("1"))
        directory.add_token(personal(2, "bert"), digest_of("2"))
        directory.used_tokens({"t2": 90_061.0})
    peopled("token", "create", "--kind", "deploy", "--group", "tools", "--username", "puller")
    assert peopled("token", "revoke", "t2").exit_code == 0
    found = listed(peopled, "token", "list")
    assert [(each["username"], each["state"]) for each in found] == [
        ("puller", "good"),
        ("bert", "revoked"),
        ("anna", "expired"),
    ]
    assert found[1]["last_used_at"] == "1970-01-02T01:01:01Z"
    assert found[1]["revoked_at"] is not None
    assert found[2] == {
        "id": "t1",
        "kind": "personal",
        "name": "old",
        "username": "anna",
        "group": None,
        "role": None,
        "scopes": ["api", "read_api", "read_virtual_registry", "write_virtual_registry"],
        "state": "expired",
        "created_at": "1970-01-01T00:00:01Z",
        "expires_at": "1970-01-01T00:00:02Z",
        "revoked_at": None,
        "last_used_at": None,
    }
    assert [each["id"] for each in listed(peopled, "token", "list", "--user", "anna")] == ["t1"]
    (of_group,) = listed(peopled, "token", "list", "--group", "tools")
    assert of_group["kind"] == "deploy"


def test_a_table_has_a_head_and_whole_lines(peopled: Run, data: Path) -> None:
    name = "[red]a name that is not markup and longer than most terminals are wide[/red]" * 2
    peopled("token", "create", "--kind", "personal", "--user", "anna", "--name", name)
    head, line = peopled("token", "list").stdout.splitlines()
    assert re.split(" {2,}", head.strip()) == [
        *("ID", "KIND", "NAME", "USERNAME", "GROUP", "ROLE", "SCOPES", "STATE"),
        *("CREATED AT", "EXPIRES AT", "LAST USED AT"),
    ]
    assert f"  personal  {name}  anna" in line
    users = [line.split() for line in peopled("user", "list").stdout.splitlines()]
    assert users == [
        ["NAME", "ADMINISTRATOR", "BLOCKED", "ROLES"],
        ["anna", "no", "no", "-"],
        ["bert", "no", "no", "-"],
    ]


def test_the_directory_is_where_the_servers_file_says(tmp_path: Path) -> None:
    login = 'username = "builds"\npassword = "env:VIRTREG_NOWHERE_SET"\n'
    upstream = UPSTREAM.replace('url = "', f'{login}url = "', 1)
    file = tmp_path / "server.toml"
    file.write_text(f'[storage]\npath = "kept"\n{upstream}{REGISTRY}')
    result = CliRunner().invoke(virtreg, ["user", "add", "anna", "--config", str(file)])
    assert (result.exit_code, result.output) == (0, "user 'anna' is added\n")
    with opened(tmp_path / "kept") as directory:
        assert directory.users() == [User("anna")]
    file.write_text("[server]\nport = 0.5\n")
    result = CliRunner().invoke(virtreg, ["user", "list", "--config", str(file)])
    assert result.exit_code == 2
    assert "server.port: must be a whole number" in result.stderr


def test_it_must_be_said_which_server_is_meant() -> None:
    result = CliRunner().invoke(virtreg, ["user", "list"])
    assert result.exit_code == 2
    assert "say which server is meant: --config FILE or --data FOLDER" in result.stderr


@pytest.mark.parametrize("line", ["user list", "token list", "member set builds anna guest"])
def test_a_folder_without_a_directory_is_left_alone(run: Run, data: Path, line: str) -> None:
    result = run(*line.split())
    assert result.exit_code == 1
    assert f"there is no {FILE} in {data}" in result.stderr
    assert not data.exists()


def test_a_database_that_cannot_be_used_is_status_one(run: Run, data: Path) -> None:
    data.mkdir()
    (data / FILE).write_bytes(b"not a database" * 1000)
    result = run("user", "list")
    assert result.exit_code == 1
    assert result.stderr.endswith("cannot open the access database: SQLITE_NOTADB\n")


NOW = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("1s", NOW + 1),
        ("90m", NOW + 5400),
        ("12h", NOW + 43200),
        ("30d", NOW + 2592000),
        ("9999w", NOW + 9999 * 604800),
        ("2027-01-01", NOW + 1),
        ("never", None),
    ],
)
def test_a_token_ends_when_it_is_said(text: str, end: float | None) -> None:
    assert parse_expires(text, NOW) == end


@pytest.mark.parametrize(
    "text",
    ["", "30", "d", "0d", "-1d", "1.5h", "30D", "99999d", "٣d", "2026-12-31", "2027-1-1", "30d\n"],
)
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_expires(text, NOW)


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="day"):
        parse_expires("2027-02-30", NOW)


@given(st.frozensets(st.sampled_from(TokenScope), min_size=1))
def test_scopes_are_read_as_they_are_written(scopes: frozenset[TokenScope]) -> None:
    assert parse_scopes(",".join(scopes)) == scopes


@given(st.floats(0, 4e9))
def test_times_are_shown_in_utc(at: float) -> None:
    shown = utc(at)
    assert shown is not None
    assert shown.endswith("Z")
    # To the microsecond, the finest that a datetime tells.
    assert -1e-6 < at - datetime.fromisoformat(shown).timestamp() < 1


@pytest.mark.parametrize("commands", [user, group, member, token])
def test_every_command_says_what_it_is_for(commands: click.Group) -> None:
    for name, command in commands.commands.items():
        assert command.help, name
        options = [each for each in command.params if isinstance(each, click.Option)]
        assert {"--config", "--data"} <= {option.opts[0] for option in options}
