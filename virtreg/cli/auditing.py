"""Commands in the audit log."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Literal

import click
from attrs import evolve

if TYPE_CHECKING:
    from pathlib import Path

    from virtreg.events import AuditEvent


def audit(event: AuditEvent) -> None:
    """Write what the running command did, and which account of this machine ran it, to the audit
    log of the configuration in its option ``--config``. Raises ConfigError and StorageError."""
    from virtreg.backends.observers.audit import AuditLog
    from virtreg.cli.launch import Launch

    file: Path | None = click.get_current_context().params.get("file")
    config = None if file is None else Launch(file=file).config(secrets=False)
    log = AuditLog(None if config is None else config.server.audit_log)
    log(evolve(event, actor=f"local:{account()}"))


def changed(subject: Literal["user", "group", "member", "token"], target: str, change: str) -> None:
    """As ``audit``, of somebody or something in the directory: see AccessChanged."""
    from virtreg.events import AccessChanged

    audit(AccessChanged(subject=subject, target=target, change=change))


def account() -> str:
    """Of this machine: who runs the program."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run an account that has no name
        return "unknown"
