"""The master keys: from the environment, or from a file of their own."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from attrs import field, frozen
from cryptography.fernet import Fernet, MultiFernet

from virtreg.backends.store.exposure import is_open
from virtreg.backends.vault.files import write_private
from virtreg.errors import ConfigError
from virtreg.model import Secret

VARIABLE: Final = "VIRTREG_SECRET_KEYS"
"""The keys themselves, newest first, separated by commas."""
FILE: Final = "VIRTREG_SECRET_KEY_FILE"
"""Where the file of keys is, if it is not beside the configuration."""
_NAME: Final = "secret.key"
_MOST_BYTES: Final = 64 * 1024
_SHARED: Final = (
    "all nodes of a database need the same keys; `virtreg secrets key` prints one to begin with"
)
_HOW: Final = "a key is 32 bytes in URL-safe base64; `virtreg secrets key` prints a new one"


def new_key() -> Secret:
    """A key that nobody has."""
    return Secret(Fernet.generate_key().decode())


@frozen
class MasterKeys:
    """Where the keys are. Nothing is read before it is asked for, and nothing is kept here.

    Newest first: the first one seals, all of them open. Methods that change the file are called by
    whoever holds the lock of its folder.
    """

    path: Path
    """The file: one key a line."""
    given: Secret | None = field(default=None)
    """With it there is no file."""
    shared: bool = False
    """Whether other machines open what these seal: whoever runs them gives the same keys to each,
    and none is made here."""

    @classmethod
    def found(cls, environ: Mapping[str, str], folder: Path, *, shared: bool = False) -> MasterKeys:
        """Those of the environment, else those of the file beside the configuration, which is in
        ``folder``."""
        path = folder / environ.get(FILE, _NAME)
        text = environ.get(VARIABLE)
        return cls(path, None if text is None else Secret(text), shared)

    def __str__(self) -> str:
        return str(self.path) if self.given is None else VARIABLE

    def read(self) -> tuple[Secret, ...]:
        """All of them; none when there is no file. Raises ConfigError, quoting none."""
        if self.given is not None:
            found = [word.strip() for word in self.given.reveal().split(",")]
            return self._checked([word for word in found if word])
        text = self._text()
        return () if text is None else self._checked(text.split())

    def cipher(self) -> MultiFernet:
        """Seals with the newest key. Raises ConfigError, also when there is none."""
        keys = self.read()
        if not keys:
            missing = f"there is no key: no file {self.path}, and {VARIABLE} is not set"
            raise ConfigError(f"{missing}; {_SHARED}" if self.shared else missing)
        return _cipher(keys)

    def make(self) -> MultiFernet:
        """Make the file, with one key, unless there are keys. Raises ConfigError, also where they
        are ``shared`` and there is none."""
        if not self.shared and not self.read():
            self._write([new_key()])
        return self.cipher()

    def renew(self) -> None:
        """Put a new key before the others of the file. With keys from the environment, or
        ``shared``, that is the operator's to do: raises ConfigError unless there are two."""
        keys = self.read()
        if self.given is None and not self.shared:
            self._write([new_key(), *keys])
        elif len(keys) < 2:
            place = (
                "on a line above it" if self.given is None else "before it, with a comma between"
            )
            where = " on every node" if self.shared else ""
            raise ConfigError(
                f"{self} holds one key: put a new one {place}{where}, and rotate again;"
                " `virtreg secrets key` prints one"
            )

    def forget_old(self) -> None:
        """Keep the newest key of the file alone. Raises ConfigError."""
        if self.given is None:
            self._write(self.read()[:1])

    def _checked(self, words: Sequence[str]) -> tuple[Secret, ...]:
        if not words:
            raise ConfigError(f"{self}: holds no key; {_HOW}")
        for place, word in enumerate(words, 1):
            try:
                Fernet(word)
            except ValueError:
                # What is wrong with it is said by what it is.
                raise ConfigError(f"{self}: key {place} is not a key; {_HOW}") from None
        return tuple(Secret(word) for word in words)

    def _text(self) -> str | None:
        try:
            with self.path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"cannot read {self.path}: {error.strerror}") from None
        if is_open(mode):
            chmod = f"chmod 600 {quote(str(self.path))}"
            raise ConfigError(
                f"{self.path}: others may read or write it (mode {mode:04o}); run `{chmod}`, and"
                " `virtreg secrets rotate` if they may have read it"
            )
        if len(content) > _MOST_BYTES or not content.isascii():
            raise ConfigError(f"{self.path}: is not a file of keys; {_HOW}")
        return content.decode()

    def _write(self, keys: Sequence[Secret]) -> None:
        try:
            write_private(self.path, "".join(f"{key.reveal()}\n" for key in keys).encode())
        except OSError as error:
            raise ConfigError(f"cannot write {self.path}: {error.strerror}") from None


def _cipher(keys: Sequence[Secret]) -> MultiFernet:
    return MultiFernet([Fernet(key.reveal()) for key in keys])
