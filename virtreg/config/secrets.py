"""Secrets are named in a configuration, never written in it."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from urllib.parse import parse_qs, urlsplit

from attrs import define, evolve

from virtreg.errors import VirtregError
from virtreg.model import Secret

_log = logging.getLogger(__name__)

_DATABASES = "postgresql://"
MAX_BYTES = 16 * 1024
_NAMED = {"env": "environment variable", "file": "file", "vault": "secret"}
_HOW = (
    'write "env:NAME" for an environment variable, "file:/path" for a file, or "vault:NAME" for'
    " what `virtreg secrets set` keeps"
)


@define
class References:
    """Reads what one configuration file refers to. Used by one thread."""

    environ: Mapping[str, str] | None
    """None: nothing is looked up, and every secret is empty."""
    folder: Path
    """Of the configuration: paths are relative to it, and the keys of the vault are there."""
    vault: Path
    """The data folder, where the vault is."""
    upstream: str | None = None
    """Whose table is being read: a secret of the vault may be for one upstream alone."""
    every: bool = True
    """Whether all are looked up, else that of the database alone."""

    def read(self, reference: str) -> Secret:
        """The secret behind ``env:NAME``, ``file:PATH`` or ``vault:NAME``.

        One line break at the end of a file does not count. Raises ValueError with the reason,
        worded to follow the name of the key and never showing the text.
        """
        kind, colon, where = reference.partition(":")
        if not colon or kind not in _NAMED or not where:
            raise ValueError(f"must not stand in the file as plain text; {_HOW}")
        if self.environ is None or not self.every:
            return Secret("")
        if kind == "env":
            text = _from_environment(where, self.environ)
        elif kind == "file":
            text = _from_file(self.folder / where)
        else:
            text = self._from_vault(where, self.environ)
        check(text, f"{_NAMED[kind]} {where}")
        return Secret(text)

    def _from_vault(self, name: str, environ: Mapping[str, str]) -> str:
        from virtreg.backends.vault import MasterKeys, Vault

        vault = Vault(self.vault, MasterKeys.found(environ, self.folder))
        try:
            return vault.read(name, self.upstream).reveal()
        except VirtregError as error:
            raise ValueError(error.message) from None


def database_url(references: References, text: str) -> Secret:
    """The URL of a PostgreSQL database, or what refers to it, as one with a password must be.
    Raises ValueError as :meth:`References.read` does."""
    always = evolve(references, every=True)
    url = Secret(text) if text.startswith(_DATABASES) else always.read(text)
    if references.environ is None and not url.reveal():
        return url
    try:
        query = parse_qs(urlsplit(url.reveal()).query)
    except ValueError:  # its message may quote the password
        raise ValueError("is not a URL: its host or its port is malformed") from None
    if not url.reveal().startswith(_DATABASES):
        raise ValueError("must begin with postgresql://")
    # Up to the last one: a password may hold what would end it in a well-formed URL.
    user = url.reveal().partition("//")[2].rpartition("@")[0]
    if url.reveal() == text and (":" in user or {"password", "sslpassword"} & set(query)):
        raise ValueError(f"must not hold a password in the file; {_HOW}")
    return url


def check(text: str, named: str) -> None:
    """Whether it can be a secret. Raises ValueError about what is ``named``, without the text."""
    if not text:
        raise ValueError(f"{named} is empty")
    # Anything else could end a header field and begin another (RFC 9110, 5.5).
    if not text.isprintable():
        raise ValueError(f"{named} holds a control character or a line break")


def _from_environment(variable: str, environ: Mapping[str, str]) -> str:
    if variable not in environ:
        raise ValueError(f"environment variable {variable} is not set")
    return environ[variable]


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read file {path}: {error.strerror}") from None
    _warn_of_exposure(path, status)
    if len(content) > MAX_BYTES:
        raise ValueError(f"file {path} is longer than {MAX_BYTES} bytes")
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"file {path} is not UTF-8 text") from None


def _warn_of_exposure(path: Path, status: os.stat_result) -> None:
    """Not refused: containers are given their secrets in files that everybody in them may read. Of
    those that are not ours nothing is said, since it is not for us to close them."""
    from virtreg.backends.store.exposure import is_open

    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == os.geteuid() and is_open(mode):
        chmod = f"chmod 600 {quote(str(path))}"
        _log.warning(
            "file %s: others may read or write this secret (mode %04o); run `%s`",
            path,
            mode,
            chmod,
        )
