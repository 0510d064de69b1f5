"""Which server a command reaches, how, and what it says when it does not."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from tests.cli.managing.places import Command, Served, local
from virtreg.cli.api import Client
from virtreg.cli.remote import Remote
from virtreg.core.weburl import check_url
from virtreg.model import Secret
from virtreg.testing.origin import Origin

LIST = ("registry", "list")


def test_without_a_server_it_asks_for_one(here: Command) -> None:
    said = here.bare.refused(*LIST, code=2)
    assert "--config FILE or --data FOLDER where its data is, --server URL elsewhere" in said


@pytest.mark.parametrize("command", ["cleanup", "fsck"])
def test_where_the_file_is_an_argument_it_asks_for_that(here: Command, command: str) -> None:
    said = here.bare.refused(command, code=2)
    assert "say which server is meant: FILE or --data FOLDER\n" in said


def test_a_token_that_cannot_be_one_is_told_so_and_not_the_url(
    elsewhere: Command, tmp_path: Path
) -> None:
    (tmp_path / "token").touch()
    said = elsewhere.refused(*LIST, "--token-file", str(tmp_path / "token"), code=2)
    assert said.endswith("Error: the token is empty\n")


def test_without_a_token_it_asks_for_one(elsewhere: Command) -> None:
    nobody = evolve(elsewhere, environ={})
    said = nobody.refused(*LIST, code=2)
    assert "a token is needed: VIRTREG_TOKEN or --token-file FILE" in said


def test_an_unknown_token_is_told_how_to_get_one(elsewhere: Command) -> None:
    stranger = evolve(elsewhere, environ={"VIRTREG_TOKEN": "vrp_unknown"})
    said = stranger.refused(*LIST)
    assert said.startswith("Error: 401 Unauthorized: ")
    assert "virtreg token create --kind personal --user NAME --scopes api" in said
    assert "vrp_unknown" not in said


def test_a_token_may_be_in_a_file_or_come_by_standard_input(
    elsewhere: Command, served: Served, tmp_path: Path
) -> None:
    nobody = evolve(elsewhere, environ={})
    file = tmp_path / "token"
    file.write_text(f"{served.token}\n")
    assert nobody.done(*LIST, "--token-file", str(file))
    assert nobody.done(*LIST, "--token-file", "-", stdin=f"{served.token}\r\n")


def test_on_a_terminal_the_token_is_asked_for_and_not_shown(served: Served) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "virtreg", *LIST, "--server", served.url, "--json"]
    environ = {name: text for name, text in os.environ.items() if not name.startswith("VIRTREG")}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=environ
    ) as process:
        os.close(theirs)
        try:
            shown = _read(ours, until=b"Token: ")
            os.write(ours, f"{served.token}\n".encode())
            shown += _read(ours)
        finally:
            os.close(ours)  # and so it ends, whatever it waits for
        assert process.wait(60) == 0, shown
    assert b'"main"' in shown
    assert served.token.encode() not in shown


def _read(terminal: int, until: bytes | None = None) -> bytes:
    """What is shown, to the end when nothing is waited for."""
    shown = b""
    while until is None or until not in shown:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, shown
        try:
            shown += os.read(terminal, 1024)
        except OSError:  # how Linux says that the other end is closed
            break
    return shown


def test_the_environment_may_say_which_server_but_options_come_first(
    here: Command, served: Served
) -> None:
    environ = {"VIRTREG_TOKEN": served.token, "VIRTREG_SERVER": served.url}
    assert evolve(here.bare, environ=environ).done(*LIST)
    unreachable = {"VIRTREG_SERVER": "http://127.0.0.1:1"}
    assert evolve(here, environ=unreachable).done(*LIST)
    both = here.refused(*LIST, "--server", served.url, code=2)
    assert "do not go with --config and --data" in both


def test_a_reader_may_read_and_not_change(elsewhere: Command, served: Served) -> None:
    where = ("--config", str(served.file))
    local("user", "add", f"guest-{elsewhere.group}", *where)
    local("member", "set", elsewhere.group, f"guest-{elsewhere.group}", "guest", *where)
    words = ("token", "create", "--kind", "personal", "--user", f"guest-{elsewhere.group}")
    token = local(*words, "--scopes", "api", *where)
    guest = evolve(elsewhere, environ={"VIRTREG_TOKEN": token})
    assert guest.json(*LIST) == []
    said = guest.refused("registry", "create", "x", "--format", "maven")
    assert said.startswith("Error: 403 Forbidden: ")


@pytest.fixture
def other() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def _remote(url: str) -> Client:
    return Client(Remote.at(url, Secret("vrp_secret")))


def test_a_redirect_is_refused_and_the_token_stays(other: Origin, served: Served) -> None:
    path = "api/v4/groups/default/-/virtual_registries/storage"
    other.put(path, redirect=served.url)
    with pytest.raises(Exception, match="answers 302 and sends elsewhere") as caught:
        _remote(other.url).get("/groups/default/-/virtual_registries/storage")
    assert "vrp_secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1", "cannot be reached: Connection refused"),
        ("http://nowhere.invalid", "cannot be reached: "),
    ],
)
def test_a_server_that_does_not_answer_is_named(url: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        _remote(url).get("/x")


def test_what_is_no_management_api_is_told_so(other: Origin) -> None:
    other.put("api/v4/page", b"<html>")
    with pytest.raises(Exception, match="not JSON: no management API is there"):
        _remote(other.url).get("/page")
    with pytest.raises(Exception, match="404 and not JSON: no management API is there"):
        _remote(other.url).get("/nothing")


def test_what_is_no_management_api_is_not_taken_for_a_missing_group(
    elsewhere: Command, other: Origin
) -> None:
    said = elsewhere.bare.refused(*LIST, "--server", other.url)
    assert said == "Error: the answer is 404 and not JSON: no management API is there\n"


def test_a_server_without_tls_is_told_so(other: Origin) -> None:
    with pytest.raises(Exception, match=r"no TLS there .* begin with http://"):
        _remote(other.url.replace("http://", "https://")).get("/x")


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("ftp://x", "t", "must start with http"),
        ("https://user@x", "t", "must not contain user information"),
        ("https://x?y", "t", "must not contain a query"),
        ("https://x", "", "the token is empty"),
        ("https://x", "a\nb", "printable ASCII"),
        ("https://x", "a b", "printable ASCII"),
    ],
)
def test_urls_and_tokens_are_checked_before_anything_is_sent(
    url: str, token: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Remote.at(url, Secret(token))
    assert not token or token not in str(caught.value) or len(token) == 1


def test_the_url_of_the_api_is_taken_for_that_of_the_server() -> None:
    remote = Remote.at("https://x.example/below/api/v4/", Secret("t"))
    assert remote.url == check_url("https://x.example/below")


@pytest.mark.parametrize(
    ("url", "unprotected"),
    [
        ("http://registry.example", True),
        ("https://registry.example", False),
        ("http://localhost:8081", False),
        ("http://[::1]:8081", False),
    ],
)
def test_a_token_in_the_clear_is_warned_of(url: str, unprotected: bool) -> None:
    assert Remote.at(url, Secret("t")).unprotected is unprotected


def test_a_folder_that_no_server_has_used_is_refused(here: Command, tmp_path: Path) -> None:
    said = here.bare.refused(*LIST, "--data", str(tmp_path / "typo"))
    assert "no server keeps its data there" in said
    assert not (tmp_path / "typo").exists()


def test_a_folder_whose_server_has_a_file_wants_that(here: Command) -> None:
    said = here.bare.refused(*LIST, "--data", str(here.folder / "virtreg-data"))
    assert "registry 'main' is declared in the configuration file of the server" in said


def test_a_command_is_audited_with_the_account_that_ran_it(here: Command) -> None:
    here.done("registry", "create", f"audited-{here.group}", "--format", "maven")
    lines = (here.folder / "audit").read_text().splitlines()
    assert any(f"audited-{here.group}" in line and '"local:' in line for line in lines)
