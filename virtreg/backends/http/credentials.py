"""Where logins come from: the configuration, or a program that is run."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn

from attrs import field, frozen

from virtreg.errors import UpstreamUnavailable
from virtreg.model import Login, Secret, UpstreamSpec

_MOST_BYTES = 64 * 1024
_LIFE_UNKNOWN = 600.0
_LONGEST_LIFE = 100 * 366 * 86_400


@frozen
class StaticLogin:
    """The user name and password of a spec, which has a user name."""

    spec: UpstreamSpec

    def login(self) -> Login:
        assert self.spec.username is not None
        return Login(self.spec.username, self.spec.password or Secret(""))


@frozen
class CommandLogin:
    """The login a program prints. Thread-safe; every call runs it.

    It is run without a shell and with the environment of this process, and is given the
    registry's host on its standard input, as Docker's credential helpers expect. It prints one of

    - ``{"Username": …, "Secret": …}``, as those helpers do;
    - ``{"username": …, "password": …}``, with ``expires_at`` (ISO 8601, UTC where it does not say)
      or ``expires_in`` (seconds);
    - the password alone, on one line; the user name is then ``username``, and is never guessed.

    Where it does not say when the login ends, it is good for ten minutes.
    """

    argv: tuple[str, ...]
    upstream: str
    """Its name, for messages."""
    host: str
    username: str | None = None
    timeout: float = 30.0
    """Seconds."""
    clock: Callable[[], float] = field(default=time.time, repr=False)
    """Seconds since the epoch."""

    def login(self) -> Login:
        login = _read(self._run(), self.username, self.clock())
        return self._fail(login) if isinstance(login, str) else login

    def _run(self) -> bytes:
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own command
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            return self._fail(f"cannot be run: {(reason or 'unusable').lower()}")
        with process:
            try:
                output = self._converse(process)
            except TimeoutError:
                output = None
            finally:
                if process.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        if output is None:
            return self._fail(f"not over in {self.timeout:g} s")
        if len(output) > _MOST_BYTES:
            return self._fail(f"printed more than {_MOST_BYTES} bytes")
        if process.returncode != 0:
            return self._fail(f"ended with status {process.returncode}")
        return output

    def _converse(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdin is not None
        assert process.stdout is not None
        ends = time.monotonic() + self.timeout
        with contextlib.suppress(BrokenPipeError):  # it need not read
            process.stdin.write(f"{self.host}\n".encode())
            process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        output = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while len(output) <= _MOST_BYTES:
                if not selector.select(max(0.0, ends - time.monotonic())):
                    raise TimeoutError
                piece = os.read(process.stdout.fileno(), _MOST_BYTES)
                if not piece:
                    break
                output += piece
            else:
                return output
        try:
            process.wait(max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        return output

    def _fail(self, said: str) -> NoReturn:
        raise UpstreamUnavailable(
            f"upstream {self.upstream!r}: credential_command: {said}", upstream=self.upstream
        )


def _read(output: bytes, username: str | None, now: float) -> Login | str:
    """The login in a program's output, or what is wrong with it, quoting nothing of it."""
    try:
        text = output.decode().strip()
        answer = json.loads(text) if text.startswith("{") else text
    except (ValueError, RecursionError):
        return "the output is neither JSON nor text"
    if isinstance(answer, str):
        if not answer or len(answer.splitlines()) > 1:
            return "the output is not one line"
        if username is None:
            return "the output is a password alone, and username is not set"
        return Login(username, Secret(answer), now + _LIFE_UNKNOWN)
    name = answer.get("Username", answer.get("username", username))
    password = answer.get("Secret", answer.get("password"))
    if not (isinstance(name, str) and isinstance(password, str) and name and password):
        return "the output has no user name or no password"
    if not (name + password).isprintable():  # half surrogates cannot be sent either
        return "the user name or the password has a character that cannot be sent"
    ends = _end(answer.get("expires_at"), answer.get("expires_in"), now)
    if ends is None:
        return "expires_at or expires_in cannot be read"
    return Login(name, Secret(password), ends)


def _end(at: object, seconds: object, now: float) -> float | None:
    if isinstance(at, str):
        try:
            moment = datetime.fromisoformat(at)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        # Without an end there is no moment to ask again at; nor is a century worth the difference.
        return now + seconds if abs(seconds) < _LONGEST_LIFE else None
    return now + _LIFE_UNKNOWN if at is None and seconds is None else None
