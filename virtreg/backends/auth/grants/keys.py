"""The keys of all processes that share them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

from virtreg.backends.auth.grants.granted import REFRESH_SECONDS
from virtreg.backends.auth.grants.key import Key
from virtreg.backends.auth.grants.keyfiles import KeyFolder
from virtreg.errors import ConfigError, NotFound, StorageError

_READ_EVERY: Final = 1
_log = logging.getLogger(__name__)


class KeyShelf(Protocol):
    """Where keys are. Safe from any thread and process. Methods raise ConfigError when a key cannot
    be used or made, and StorageError when what holds them cannot be asked."""

    def __str__(self) -> str:
        """For messages."""
        ...

    def read(self) -> tuple[Key, ...]:
        """Oldest first."""
        ...

    def add(self, number: int, now: float) -> None:
        """Make the key of this number, unless there is one."""
        ...

    def remove(self, number: int) -> bool:
        """False when there is none by this number. Whether the key can be used does not matter."""
        ...


class Keys:
    """Signing keys in a folder or on another shelf; the first is made when there is none.
    Thread-safe.

    ``rotate`` makes a new key, which signs from then on. An older one goes on verifying for
    ``keep_seconds``, counted from when the next was made; the default outlives every refresh
    token. A key that leaked is removed at once, by ``remove`` or by removing its file.

    Changes by other processes are seen within a second: keys are read once in each that they are
    asked for in. Raises ConfigError, naming the file, when a key cannot be read or made, or others
    than its owner may read it, and StorageError; once running, that is logged instead and the keys
    stay as they were.
    """

    def __init__(
        self,
        place: Path | KeyShelf,
        clock: Callable[[], float] = time.time,
        *,
        keep_seconds: float = REFRESH_SECONDS + 86_400,
    ) -> None:
        self._shelf = KeyFolder(place) if isinstance(place, Path) else place
        self._clock = clock
        self._keep = keep_seconds
        self._lock = Lock()
        self._told = ""
        self._read_at = clock()
        self._keys = self._read(self._read_at)

    def newest(self) -> Key:
        """The one to sign with."""
        self._renew()
        return self._keys[-1]

    def find(self, kid: str) -> Key | None:
        """The one to verify with, unless it is unknown or old."""
        self._renew()
        key = self._lookup(kid)
        if key is None:
            # Who is reading just now may be about to learn of it.
            self._renew(wait=True)
            key = self._lookup(kid)
        return key

    def verifying(self) -> dict[Key, float | None]:
        """Those that are good now, oldest first, each with the time it stops verifying at; None
        for the one that signs."""
        self._renew()
        keys, now = self._keys, self._clock()
        ends = {key: next_.created_at + self._keep for key, next_ in pairwise(keys)}
        return {key: ends.get(key) for key in self._verifying(keys, now)}

    def rotate(self) -> Key:
        """Make the key that signs from now on, and remove those that verify no more.

        Raises ConfigError and StorageError.
        """
        with self._lock:
            now = self._clock()
            self._shelf.add(self._read(now)[-1].number + 1, now)
            return self._tidy(now)[-1]

    def remove(self, number: int) -> Key:
        """Have one key verify no more, at once in this process; when it is the one that signs,
        another one is made first. Gives the key that signs from now on.

        Raises NotFound when there is none by this number, ConfigError and StorageError.
        """
        with self._lock:
            now = self._clock()
            keys = self._tidy(now)
            if number not in {key.number for key in keys}:
                raise NotFound(f"{self._shelf}: there is no signing key {number}")
            if number == keys[-1].number:
                self._shelf.add(number + 1, now)
            self._shelf.remove(number)
            return self._tidy(now)[-1]

    def _tidy(self, now: float) -> tuple[Key, ...]:
        """Read the keys, and remove those that verify no more: one that is over would be good again
        once the key after it is gone."""
        keys = self._read(now)
        kept = self._verifying(keys, now)
        for key in keys:
            if key not in kept:
                self._shelf.remove(key.number)
        self._keys, self._read_at = kept, now
        return kept

    def _lookup(self, kid: str) -> Key | None:
        for key in self._verifying(self._keys, self._clock()):
            if key.kid == kid:
                return key
        return None

    def _verifying(self, keys: tuple[Key, ...], now: float) -> tuple[Key, ...]:
        old = [key for key, next_ in pairwise(keys) if now < next_.created_at + self._keep]
        return (*old, keys[-1])

    def _renew(self, *, wait: bool = False) -> None:
        """Read again what was read longer ago; unless to ``wait``, not where another thread does
        already: what holds the keys may be slow to answer."""
        if self._young() or not self._lock.acquire(blocking=wait):
            return
        try:
            if not self._young():
                self._reread()
        finally:
            self._lock.release()

    def _reread(self) -> None:
        told = ""
        try:
            self._keys = self._read(self._clock())
        except (ConfigError, StorageError) as error:
            told = error.message
        if told and told != self._told:
            _log.error("%s", told)
        self._told = told
        # Those who waited meanwhile do not read in turn.
        self._read_at = self._clock()

    def _young(self) -> bool:
        # A clock that was set back must not keep the keys from being read.
        return 0 <= self._clock() - self._read_at < _READ_EVERY

    def _read(self, now: float) -> tuple[Key, ...]:
        keys = self._shelf.read()
        if not keys:
            self._shelf.add(1, now)
            keys = self._shelf.read()
        if not keys:
            raise ConfigError(f"{self._shelf}: keys vanish as they are made")
        return keys
