"""Commands in the audit log."""

from __future__ import annotations

import getpass

from attrs import evolve

from virtreg.backends.observers.audit import AuditLog
from virtreg.config import Config
from virtreg.events import AuditEvent


def audit(config: Config, event: AuditEvent) -> None:
    """Write what a command did, and which account of this machine ran it. Raises StorageError."""
    AuditLog(config.server.audit_log)(evolve(event, actor=f"local:{_account()}"))


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run an account that has no name
        return "unknown"
