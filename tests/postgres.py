"""A private PostgreSQL on loopback, of the newest version that Debian's packages brought."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import IO, Any

import psycopg
import pytest
from attrs import define, field
from psycopg import sql

from tests.e2e import marked
from virtreg.model import Secret

USER = "virtreg"
PASSWORD = marked.SECRETS.told(marked.DATABASE, "virtreg-test-password")
READY = "database system is ready to accept connections"

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "listen_addresses": "127.0.0.1",
    "log_checkpoints": "off",
}


def programs() -> Path:
    """The folder of the server's programs."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda each: int(each.parts[-3])
    )
    assert found, "no PostgreSQL; Debian's package postgresql brings it"
    return found[-1].parent


def account() -> dict[str, Any]:
    """Arguments of ``subprocess`` for who runs it: root is refused by the server."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if not os.getuid() else {}


@define
class Cluster:
    """A server, its data in ``folder``; :meth:`start` and :meth:`stop` as often as needed.

    Every database orders text as a language does, and not by code points, as many do where
    virtreg is installed.
    """

    folder: Path
    port: int
    _server: subprocess.Popen[str] | None = field(default=None, init=False)
    _drain: Thread | None = field(default=None, init=False)

    def url(self, database: str, port: int | None = None) -> str:
        """By TCP, with a password. ``port``: of a proxy in between."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    @property
    def pid(self) -> int:
        """The main process: the others are its children."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Returns when it takes connections."""
        # It must not outlive a test run that is killed.
        command = ["setpriv", "--pdeathsig", "QUIT"]
        command += [str(programs() / "postgres"), "-D", str(self.folder / "data")]
        settings = {
            **SETTINGS,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        server = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            **account(),
        )
        self._server = server
        assert server.stderr is not None
        seen = []
        for line in server.stderr:
            seen.append(line)
            if READY in line:
                break
        else:
            server.wait()
            server.stderr.close()
            raise AssertionError("PostgreSQL ended:\n" + "".join(seen[-20:]))
        self._drain = Thread(target=drain, args=(server.stderr,), daemon=True)
        self._drain.start()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections are told; SIGQUIT: at once; SIGKILL: as if the machine had died."""
        if self._server is None:
            return
        if how == signal.SIGKILL:
            # Its children would go on, and keep the memory that a new server needs.
            for child in children(self._server.pid):
                os.kill(child, signal.SIGKILL)
        self._server.send_signal(how)
        self._server.wait()
        if self._drain is not None:
            self._drain.join()
        assert self._server.stderr is not None
        self._server.stderr.close()
        self._server = None

    def administer(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """As the superuser, by the unix socket; each statement for itself."""
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user="postgres",
            dbname=database,
            autocommit=True,
        )

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new one, removed at the end."""
        name = f"t{secrets.token_hex(8)}"
        with self.administer() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
                    sql.Identifier(name), sql.Identifier(USER)
                )
            )
        yield name
        with self.administer() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def postgres_cluster() -> Iterator[Cluster]:
    """A new one, running."""
    with ExitStack() as opened:
        folder = Path(tempfile.mkdtemp(prefix="virtreg-postgres-"))
        opened.callback(shutil.rmtree, folder, ignore_errors=True)
        if not os.getuid():
            shutil.chown(folder, "postgres", "postgres")
        command = [
            str(programs() / "initdb"),
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=icu",
            "--icu-locale=en",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--username=postgres",
            "-D",
            str(folder / "data"),
        ]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, **account())
        cluster = Cluster(folder, free_port())
        cluster.start()
        opened.callback(lambda: cluster.stop(signal.SIGQUIT))
        with cluster.administer() as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(USER), sql.Literal(PASSWORD)
                )
            )
        yield cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One for all tests that leave it running as it is."""
    with postgres_cluster() as cluster:
        yield cluster


@pytest.fixture
def database_name(postgres: Cluster) -> Iterator[str]:
    """A new, empty database of the test's own in the shared server."""
    with postgres.database() as name:
        yield name


@pytest.fixture
def database_url(postgres: Cluster, database_name: str) -> Secret:
    """Its URL, as a DatabaseServer takes it."""
    return Secret(postgres.url(database_name))


def children(pid: int) -> list[int]:
    """Of a process, by the kernel's list."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def drain(stream: IO[str]) -> None:
    for _ in stream:
        pass
