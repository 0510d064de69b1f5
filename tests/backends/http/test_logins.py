"""Logins that programs print, and how long they are kept."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.backends.http.peers import LOOPBACK, get, upstream
from tests.backends.http.test_tokens import asked, publish
from virtreg.backends.http import HttpUpstream
from virtreg.backends.http.credentials import CommandLogin
from virtreg.backends.http.logins import Logins
from virtreg.errors import UpstreamRefused, UpstreamUnavailable
from virtreg.model import Fetch, Login, Secret, UpstreamSpec
from virtreg.testing.fakes import FakeClock
from virtreg.testing.origin import Origin, Tokens, basic

NOW = 1_700_000_000.0


def printing(text: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", f"print({text!r})")


def command(argv: Sequence[str], **settings: Any) -> CommandLogin:
    return CommandLogin(tuple(argv), "up", "registry.example.com:5000", **settings)


@define
class Wallet:
    """A provider that gives the next of its logins each time, the last for ever."""

    logins: list[Login]
    asked: int = 0
    _lock: threading.Lock = field(factory=threading.Lock)

    def login(self) -> Login:
        with self._lock:
            self.asked += 1
            return self.logins[min(self.asked, len(self.logins)) - 1]


def joe(password: str, expires_at: float | None = None) -> Login:
    return Login("joe", Secret(password), expires_at)


@pytest.mark.parametrize(
    ("text", "username", "login"),
    [
        ('{"ServerURL": "x", "Username": "joe", "Secret": "pw"}', None, joe("pw", NOW + 600)),
        ('{"username": "joe", "password": "pw", "expires_in": 60}', None, joe("pw", NOW + 60)),
        ('{"password": "pw", "expires_in": 0.5}', "joe", joe("pw", NOW + 0.5)),
        (
            '{"username": "joe", "password": "pw", "expires_at": "2023-11-14T22:14:20Z"}',
            "else",
            joe("pw", NOW + 60),
        ),
        (
            '{"username": "joe", "password": "pw", "expires_at": "2023-11-14T22:14:20"}',
            None,
            joe("pw", NOW + 60),
        ),
        ("pw", "joe", joe("pw", NOW + 600)),
        ('{"Username": "<token>", "Secret": "i"}', None, Login("<token>", Secret("i"), NOW + 600)),
    ],
)
def test_a_login_is_read_as_printed(text: str, username: str | None, login: Login) -> None:
    made = command(printing(text), username=username, clock=FakeClock(NOW))
    assert made.login() == login


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (printing("SECRET"), "username is not set"),
        (printing("SECRET\nSECRET"), "one line"),
        (printing(""), "one line"),
        (printing('{"Username": SECRET}'), "neither JSON nor text"),
        (printing('{"Username": "joe", "Secret": ["SECRET"]}'), "no user name or no password"),
        (printing('{"Username": "", "Secret": "SECRET"}'), "no user name or no password"),
        (printing('{"Username": "a\\u000aSECRET", "Secret": "x"}'), "cannot be sent"),
        (printing('{"Username": "\\ud800SECRET", "Secret": "x"}'), "cannot be sent"),
        (
            printing('{"username": "joe", "password": "SECRET", "expires_at": "SECRET"}'),
            "expires_at",
        ),
        (printing('{"username": "joe", "password": "SECRET", "expires_in": NaN}'), "expires_in"),
        (printing('{"username": "joe", "password": "SECRET", "expires_in": 1e999}'), "expires_in"),
        (
            printing('{"username": "joe", "password": "SECRET", "expires_in": 1' + "0" * 400 + "}"),
            "expires_in",
        ),
        ((sys.executable, "-S", "-c", "print('SECRET'); raise SystemExit(3)"), "status 3"),
        ((sys.executable, "-S", "-c", "print('SECRET' * 100_000)"), "more than 65536 bytes"),
        ((sys.executable, "-S", "-c", "import os; os.write(1, b'\\xffSECRET')"), "neither JSON"),
        (("/nowhere/SECRETless", "x"), "cannot be run: no such file"),
    ],
)
def test_a_program_that_gives_no_login_is_named_without_its_words(
    argv: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(
        UpstreamUnavailable, match=f"'up': credential_command: .*{reason}"
    ) as caught:
        command(argv).login()
    error: BaseException | None = caught.value
    while error is not None:  # nor may what caused it, where some loggers look
        assert "SECRET" not in repr(error.args) + repr(vars(error))
        error = error.__context__ if not isinstance(error.__context__, OSError) else None


def test_a_program_is_given_the_host_and_no_shell(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text("
    script += "repr((sys.stdin.read(), sys.argv[2:]))); print('pw')"
    argv = (sys.executable, "-S", "-c", script, str(seen), "$HOME; `x`", "get")
    command(argv, username="joe").login()
    assert seen.read_text() == repr(("registry.example.com:5000\n", ["$HOME; `x`", "get"]))


def test_a_program_that_does_not_end_is_ended_with_its_children() -> None:
    script = "import subprocess, sys; print('pw', flush=True);"
    script += "subprocess.run([sys.executable, '-S', '-c', 'import signal; signal.pause()'])"
    made = command((sys.executable, "-S", "-c", script), username="joe", timeout=0.5)
    with pytest.raises(UpstreamUnavailable, match=r"not over in 0\.5 s"):
        made.login()


def test_a_login_is_kept_until_shortly_before_its_end() -> None:
    clock = FakeClock(0.0)
    wallet = Wallet([joe("one", 100.0), joe("two", 10_000.0), joe("three")])
    logins = Logins(wallet, "up", clock)
    first = logins.current()
    clock.advance(79)
    assert logins.current() is first
    clock.advance(2)
    second = logins.current()
    assert (second.login, second.version) == (joe("two", 10_000.0), 2)
    clock.advance(9_600)
    assert logins.current() is second
    clock.advance(30)
    assert logins.current().login == joe("three")
    clock.advance(1e9)
    assert (logins.current().version, wallet.asked) == (3, 3)


def test_a_renewed_login_that_is_the_same_is_no_other() -> None:
    wallet = Wallet([joe("one")])
    logins = Logins(wallet, "up", FakeClock())
    held = logins.current()
    assert logins.renew(held) is None
    assert logins.current() is held


def test_refusals_renew_a_login_once_a_minute() -> None:
    clock = FakeClock()
    wallet = Wallet([joe(str(number)) for number in range(9)])
    logins = Logins(wallet, "up", clock)
    first = logins.current()
    with ThreadPoolExecutor(8) as threads:
        renewed = list(threads.map(logins.renew, [first] * 8))
    assert {held.login if held else None for held in renewed} == {joe("1")}
    assert logins.renew(logins.current()) is None
    assert wallet.asked == 2
    clock.advance(60)
    again = logins.renew(logins.current())
    assert again is not None
    assert again.login == joe("2")


def test_a_failure_is_believed_for_a_while() -> None:
    clock = FakeClock()
    wallet = Wallet([joe("ended", 1.0), joe("two")])
    logins = Logins(wallet, "up", clock)
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable, match="has ended"):
            logins.current()
    assert wallet.asked == 1
    clock.advance(10)
    assert logins.current().login == joe("two")


def test_the_command_of_a_spec_is_run_for_its_first_request(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = "import sys; open(sys.argv[1], 'a').write('x'); print('pw')"
    argv = (sys.executable, "-S", "-c", script, str(runs))
    with Origin() as origin:
        origin.put("a", b"x", require=basic("joe", "pw"))
        with upstream(origin.url, credential_command=argv, username="joe") as up:
            assert not runs.exists()
            assert [get(up, "a") for _ in range(3)] == [(200, b"x")] * 3
    assert runs.read_text() == "x"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("with_scope", [True, False])
def test_a_refused_login_is_replaced_once(status: int, with_scope: bool) -> None:
    wallet = Wallet([joe("old"), joe("new"), joe("newer")])
    with Origin() as origin:
        request = asked() if with_scope else Fetch("v2/a/manifests/1")
        with up_with(origin, wallet) as up:
            origin.put(request.path, b"a", require=basic("joe", "old"))
            assert get(up, request) == (200, b"a")
            origin.put(request.path, b"a", require=basic("joe", "new"))
            assert get(up, request) == (200, b"a")
            origin.put(request.path, b"a", require=basic("joe", "nobody"), status=status)
            with pytest.raises(UpstreamRefused):
                up.fetch(request)
    assert wallet.asked == 2


def test_a_login_the_token_service_refuses_is_replaced_once() -> None:
    wallet = Wallet([joe("old"), joe("new"), joe("newer")])
    with Origin() as origin:
        tokens = Tokens(login=("joe", "new"))
        publish(origin, tokens)
        with up_with(origin, wallet) as up:
            assert get(up, asked()) == (200, b"a")
            assert get(up, asked()) == (200, b"a")
            assert origin.count("token") == 2
            tokens.login = ("joe", "nobody")
            tokens.revoke()
            with pytest.raises(UpstreamRefused, match="credentials were refused"):
                up.fetch(asked())
    assert wallet.asked == 2


def up_with(origin: Origin, wallet: Wallet) -> closing[HttpUpstream]:
    spec = UpstreamSpec("up", origin.url, allow_private=LOOPBACK)
    return closing(HttpUpstream(spec, credentials=wallet))


def test_tokens_of_one_login_are_not_used_for_another() -> None:
    clock = FakeClock()
    wallet = Wallet([joe("one", NOW + 100), joe("two")])
    with Origin() as origin:
        tokens = Tokens(login=("joe", "one"), expires_in=3600)
        publish(origin, tokens)
        spec = UpstreamSpec("up", origin.url, allow_private=LOOPBACK)
        up = HttpUpstream(spec, credentials=wallet, clock=clock)
        get(up, asked())
        tokens.login = ("joe", "two")
        clock.advance(90)
        get(up, asked())
        assert len(tokens.issued) == 2
        up.close()


def test_secrets_are_in_no_repr() -> None:
    wallet = Wallet([joe("SECRET")])
    logins = Logins(wallet, "up", FakeClock())
    shown = repr(logins.current()) + repr(wallet) + repr(command(("x",)))
    assert "SECRET" not in shown
