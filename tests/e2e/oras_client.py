"""The real ORAS client of Python: pulls the files of an OCI artifact."""

from __future__ import annotations

from pathlib import Path

import oras.client


def pull(host: str, reference: str, folder: Path, logins: Path | None = None) -> dict[str, bytes]:
    """The files of an artifact by name, over plain HTTP. ``logins`` is where :func:`login` keeps
    what it was told."""
    folder.mkdir()
    client = oras.client.OrasClient(hostname=host, insecure=True)
    try:
        config = None if logins is None else str(logins)
        client.pull(target=reference, outdir=str(folder), config_path=config)
    finally:
        client.session.close()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def login(host: str, login: tuple[str, str], logins: Path) -> None:
    """Keep a login for later pulls in a new file; nobody is asked whether it is a good one."""
    client = oras.client.OrasClient(hostname=host, insecure=True)
    try:
        client.login(*login, hostname=host, config_path=str(logins))
    finally:
        client.session.close()


def ask(host: str, path: str, login: tuple[str, str]) -> int:
    """The status of one request with a login. Raises ValueError with what the client says when
    the login is refused."""
    client = oras.client.OrasClient(hostname=host, insecure=True)
    client.auth.set_basic_auth(*login)
    try:
        # Below what tries again and again, for two minutes.
        answer = oras.client.OrasClient.do_request.__wrapped__(client, f"http://{host}{path}")
    finally:
        client.session.close()
    status: int = answer.status_code
    return status
