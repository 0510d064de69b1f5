"""Signing keys in a folder: one numbered JSON file each, of which the highest number is newest.

A file comes to be whole and only once: it is written under another name and then linked to its
number, which fails when there is one by that number. So processes that start together, or change
keys together, end with the same ones.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from virtreg.backends.auth.grants.key import MOST_BYTES, Key, new_key, parse_key
from virtreg.backends.store.disk import sync_folder
from virtreg.errors import ConfigError

_NAME: Final = re.compile(r"[0-9]{6}\.json")


@frozen
class KeyFolder:
    """A KeyShelf. Raises ConfigError naming the file, also for one that is open to others than its
    owner (POSIX)."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def read(self) -> tuple[Key, ...]:
        """None when there is no folder."""
        try:
            paths = sorted(path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ConfigError(f"{self}: the keys cannot be read: {error.strerror}") from error
        keys = (_read(path) for path in paths)
        return tuple(key for key in keys if key is not None)

    def add(self, number: int, now: float) -> None:
        content = new_key(now)
        draft = self.folder / f".{secrets.token_hex(8)}.new"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _write(draft, content.encode())
                with suppress(FileExistsError):
                    os.link(draft, self.folder / _name(number))
            finally:
                draft.unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise ConfigError(f"{self}: a key cannot be made: {error.strerror}") from error

    def remove(self, number: int) -> bool:
        path = self.folder / _name(number)
        try:
            path.unlink()
            sync_folder(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ConfigError(f"{path}: the key cannot be removed: {error.strerror}") from error
        return True


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
            content = file.read(MOST_BYTES + 1)
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
        return parse_key(int(path.stem), content)
    except ValueError as error:
        raise ConfigError(
            f"{path}: {error}: restore the file, or remove it and with it the tokens that it signed"
        ) from None
