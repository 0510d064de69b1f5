"""Signing keys in a folder: one numbered JSON file each, of which the highest number is newest.

A file comes to be whole and only once: it is written under another name and then linked to its
number, which fails when there is one by that number. So processes that start together, or change
keys together, end with the same ones.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from virtreg.backends.auth.grants.key import Key
from virtreg.backends.store.disk import sync_folder
from virtreg.errors import ConfigError

_NAME: Final = re.compile(r"[0-9]{6}\.json")
_MOST_BYTES: Final = 10_000


def read_keys(folder: Path) -> tuple[Key, ...]:
    """Oldest first; none when there is no folder. Raises ConfigError naming the file, also for one
    that is open to others than its owner (POSIX)."""
    try:
        paths = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError(f"{folder}: the keys cannot be read: {error.strerror}") from error
    keys = (_read(path) for path in paths)
    return tuple(key for key in keys if key is not None)


def add_key(folder: Path, number: int, now: float) -> None:
    """Make the key of this number, unless there is one. Raises ConfigError."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    content = json.dumps({"created_at": int(now), "private_key": pem.decode()})
    draft = folder / f".{secrets.token_hex(8)}.new"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(draft, content.encode())
            with suppress(FileExistsError):
                os.link(draft, folder / _name(number))
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: a key cannot be made: {error.strerror}") from error


def remove_key(folder: Path, number: int) -> None:
    """Remove the key of this number, if there is one. Raises ConfigError."""
    path = folder / _name(number)
    try:
        path.unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise ConfigError(f"{path}: the key cannot be removed: {error.strerror}") from error


def _name(number: int) -> str:
    return f"{number:06}.json"


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _read(path: Path) -> Key | None:
    """None when the file went meanwhile."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: the key cannot be read: {error.strerror}") from error
    if os.name == "posix" and mode & 0o077:
        raise ConfigError(
            f"{path}: others than its owner may use this signing key (mode {mode:04o}); run "
            f"chmod 600 {shlex.quote(str(path))}, and virtreg keys remove {int(path.stem)} if they "
            "may have read it"
        )
    try:
        return _parse(int(path.stem), content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UnsupportedAlgorithm):
        # The cause may show parts of the key.
        raise ConfigError(
            f"{path}: not a signing key: restore the file, or remove it and with it the tokens "
            "that it signed"
        ) from None


def _parse(number: int, content: bytes) -> Key:
    """Raises several errors for anything else than ``add_key`` writes."""
    if len(content) > _MOST_BYTES:
        raise ValueError("too long")
    document = json.loads(content)
    created_at, pem = document["created_at"], document["private_key"]
    if type(created_at) is not int:
        raise TypeError("created_at")
    private = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise ValueError("another algorithm")
    return Key(number, created_at, private)
