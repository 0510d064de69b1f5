"""The process that serves: it builds the application, says so, and closes it at the end."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing import connection, parent_process
from multiprocessing.util import Finalize
from typing import Final, Protocol
from wsgiref.types import WSGIApplication

import click
from attrs import evolve, frozen
from rich.console import Console

from virtreg.backends.vault import VARIABLE
from virtreg.cli import logs
from virtreg.cli.banner import banner, usage
from virtreg.cli.crew import Crew, Once
from virtreg.cli.launch import Launch
from virtreg.cli.status import StatusLine
from virtreg.config import Config
from virtreg.errors import VirtregError


class Served(Protocol):
    """What a built configuration offers a server."""

    @property
    def app(self) -> WSGIApplication: ...

    def stats(self) -> Mapping[str, int]:
        """Totals since the start: ``requests``, ``hits``, ``misses``, ``bytes``, and the
        ``active`` transfers. Called once a second, from another thread."""
        ...

    def close(self) -> None:
        """Write what is pending and let go of everything. Called once, after the last answer."""
        ...


_PAUSE: Final = 1.0
"""Seconds until a worker that could not start tries again."""

Build = Callable[[Config], Served]
"""Makes the application, in the process that serves it. ``access_log`` is True or False by then."""


@frozen
class Worker:
    """Loads the application for granian; called once, in the worker's main thread."""

    launch: Launch
    build: Build
    crew: Crew

    def __call__(self) -> WSGIApplication:
        for number in (signal.SIGTERM, signal.SIGINT):
            # Until granian sets its own: whoever stops a starting server need not wait for it.
            signal.signal(number, lambda *_: sys.exit(0))
        # What was pulled with the operator's credentials is not for the machine's other users.
        os.umask(0o077)
        _start(_stop_with_parent)
        console = Console(soft_wrap=True, highlight=False, markup=False)
        config, served = self._begun(console)
        # Granian mixes the environment into each request's, where HTTP_RANGE would be a header.
        # No request needs the keys of the vault either, nor does a program that prints a login.
        for name in [name for name in os.environ if name.startswith("HTTP_") or name == VARIABLE]:
            del os.environ[name]
        # Granian's workers end by os._exit, which runs these but nothing of atexit.
        Finalize(None, served.close, exitpriority=0)
        _start(partial(_announce, console, config, served, self.crew))
        return served.app

    def _begun(self, console: Console) -> tuple[Config, Served]:
        """What serves. The first workers of a server that cannot start end it. Later ones try
        again: what has become of the file or the database since is no reason to end those that
        serve."""
        while not self.crew.said(Once.END):
            try:
                config = _settled(self.launch.config(), terminal=console.is_terminal)
                logs.configure(console, access=bool(config.server.access_log))
                served = self.build(config)
            except Exception as error:  # noqa: BLE001 - nobody else ends what cannot start
                # Once: what one of them cannot do, all of them cannot.
                if self.crew.first(Once.FAILURE):
                    expected = isinstance(error, VirtregError)
                    click.echo(f"Error: {error}" if expected else traceback.format_exc(), err=True)
                if not self.crew.said(Once.BANNER):
                    self._end()
                threading.Event().wait(_PAUSE)
            else:
                self.crew.unsaid(Once.FAILURE)
                return config, served
        # The signal may have come before there was anybody here to heed it.
        threading.Event().wait(_PAUSE)
        sys.exit(1)

    def _end(self) -> None:
        """Have the server stop all its workers, this one too."""
        parent = parent_process()
        if self.crew.first(Once.END) and parent is not None and parent.pid is not None:
            os.kill(parent.pid, signal.SIGTERM)


def _settled(config: Config, *, terminal: bool) -> Config:
    access = config.server.access_log
    server = evolve(config.server, access_log=not terminal if access is None else access)
    return evolve(config, server=server)


def _start(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="virtreg-serving", daemon=True).start()


def _stop_with_parent() -> None:
    """A worker whose parent was killed would hold the port for nobody."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _announce(console: Console, config: Config, served: Served, crew: Crew) -> None:
    """Print the banner once the port answers, then keep the status line: one for all workers."""
    _wait_until_open(config.server.host, config.server.port)
    if crew.first(Once.BANNER):
        for line in (*banner(config), *usage(config)):
            console.print(line)
    if console.is_terminal and not config.server.access_log:
        _keep_status(console, served, crew)


def _keep_status(console: Console, served: Served, crew: Crew) -> None:
    pause = threading.Event()
    while not crew.speak():
        crew.tell(served.stats())
        pause.wait(1)
    status = StatusLine(console, lambda: crew.tell(served.stats()))
    # Before the application closes: the line's last word is about a running server.
    Finalize(None, status.stop, exitpriority=1)
    status.start()


def _wait_until_open(host: str, port: int) -> None:
    """Granian binds in the worker, after the application is loaded, and tells nobody."""
    pause = threading.Event()
    while True:
        try:
            socket.create_connection((_reachable(host), port), timeout=1).close()
        except OSError:
            pause.wait(0.01)
        else:
            return


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
