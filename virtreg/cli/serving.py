"""The bundled server, as seen by the process the user started: it only watches the workers."""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections.abc import Callable
from functools import partial

from attrs import evolve
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import MPServer

from virtreg.cli.crew import Crew, Once
from virtreg.cli.launch import Launch
from virtreg.cli.logs import SERVER, to_standard_error
from virtreg.cli.worker import Build, Worker
from virtreg.config import ServerConfig
from virtreg.errors import VirtregError

_log = logging.getLogger(__name__)


class CannotListen(VirtregError):
    """The address is not there, not ours, or somebody listens on it already."""


def run(server: ServerConfig, launch: Launch, build: Build) -> int:
    """Serve until SIGTERM or SIGINT, and give the exit status. ``server`` is ``launch``'s own.

    Nothing of the application lives in this process: stores, databases and connection pools
    are opened by ``build``, in the workers, so that none of them crosses a fork. One that dies of
    several is replaced; a lone one ends the server, as do those that cannot start before any has
    served. Raises CannotListen.
    """
    address, port = claim(server.host, server.port)
    granian = _Server(
        "virtreg",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=server.workers,
        respawn_failed_workers=server.workers > 1,
        blocking_threads=server.threads,
        websockets=False,
        # Cleartext HTTP/2 is for proxies in front, and those speak HTTP/1.1 as well.
        http=HTTPModes.http1,
        # Below: only what ends the server. Its notes on start and stop are ours to write.
        log_level=LogLevels.error,
        log_dictconfig=to_standard_error(plain=sys.stdout.isatty() and not server.access_log),
        workers_kill_timeout=server.graceful_timeout,
    )
    crew = Crew(server.workers)
    granian.stopping = partial(_stopping, server.graceful_timeout, crew)
    try:
        worker = Worker(evolve(launch, port=port), build, crew)
        granian.serve(target_loader=worker, wrap_loader=False)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    return 1 if crew.said(Once.END) else 0


class _Server(MPServer):
    """Says when it begins to stop, and which of its workers it has to kill."""

    stopping: Callable[[], None]

    def shutdown(self, exit_code: int = 0) -> None:
        if self.interrupt_signal:
            self.stopping()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]


def _stopping(seconds: int, crew: Crew) -> None:
    if crew.said(Once.END):
        return
    granian = logging.getLogger(SERVER)
    granian.setLevel(logging.WARNING)
    _log.handlers = granian.handlers
    _log.propagate = False
    _log.setLevel(logging.INFO)
    _log.info("stopping: transfers under way have %d seconds to end", seconds)


def claim(host: str, port: int) -> tuple[str, int]:
    """The numeric address and the port to listen on; port 0 finds a free one.

    Granian shares ports (SO_REUSEPORT), so two servers could run side by side unnoticed. Binding
    without it fails while anybody listens. Raises CannotListen.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror}") from None
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except PermissionError:
            raise CannotListen(
                f"port {port} needs more rights; choose another with --port"
            ) from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"port {port} is in use; choose another with --port"
            else:
                reason = f"cannot listen on {host}: {error.strerror}"
            raise CannotListen(reason) from None
        bound = probe.getsockname()
    return bound[0], bound[1]
