"""The keys of all processes of one data folder."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Final

from virtreg.backends.auth.grants.granted import REFRESH_SECONDS
from virtreg.backends.auth.grants.key import Key
from virtreg.backends.auth.grants.keyfiles import add_key, read_keys, remove_key
from virtreg.errors import ConfigError, NotFound

_READ_EVERY: Final = 60
_READ_FOR_UNKNOWN: Final = 1
_log = logging.getLogger(__name__)


class Keys:
    """Signing keys in ``folder``; the first is made when there is none. Thread-safe.

    ``rotate`` makes a new key, which signs from then on. An older one goes on verifying for
    ``keep_seconds``, counted from when the next was made; the default outlives every refresh
    token. A key that leaked is removed at once, by ``remove`` or by removing its file.

    Changes by other processes are seen within a minute, and a key they made as soon as somebody
    shows its ``kid``, though folders are read for that once a second at most. Raises ConfigError,
    naming the file, when a key cannot be read or made, or others than its owner may read it; once
    running, that is logged instead and the keys stay as they were.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = time.time,
        *,
        keep_seconds: float = REFRESH_SECONDS + 86_400,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._keep = keep_seconds
        self._lock = Lock()
        self._read_at = clock()
        self._keys = self._read(self._read_at)

    def newest(self) -> Key:
        """The one to sign with."""
        self._renew(_READ_EVERY)
        return self._keys[-1]

    def find(self, kid: str) -> Key | None:
        """The one to verify with, unless it is unknown or old."""
        self._renew(_READ_EVERY)
        key = self._lookup(kid)
        if key is None:
            self._renew(_READ_FOR_UNKNOWN)
            key = self._lookup(kid)
        return key

    def verifying(self) -> dict[Key, float | None]:
        """Those that are good now, oldest first, each with the time it stops verifying at; None
        for the one that signs."""
        self._renew(_READ_EVERY)
        keys, now = self._keys, self._clock()
        ends = {key: next_.created_at + self._keep for key, next_ in pairwise(keys)}
        return {key: ends.get(key) for key in self._verifying(keys, now)}

    def rotate(self) -> Key:
        """Make the key that signs from now on, and remove those that verify no more.

        Raises ConfigError.
        """
        with self._lock:
            now = self._clock()
            add_key(self._folder, self._read(now)[-1].number + 1, now)
            return self._tidy(now)[-1]

    def remove(self, number: int) -> Key:
        """Have one key verify no more, at once in this process; when it is the one that signs,
        another one is made first. Gives the key that signs from now on.

        Raises NotFound when there is none by this number, and ConfigError.
        """
        with self._lock:
            now = self._clock()
            keys = self._tidy(now)
            if number not in {key.number for key in keys}:
                raise NotFound(f"{self._folder}: there is no signing key {number}")
            if number == keys[-1].number:
                add_key(self._folder, number + 1, now)
            remove_key(self._folder, number)
            return self._tidy(now)[-1]

    def _tidy(self, now: float) -> tuple[Key, ...]:
        """Read the keys, and remove those that verify no more: one that is over would be good again
        once the key after it is gone."""
        keys = self._read(now)
        kept = self._verifying(keys, now)
        for key in keys:
            if key not in kept:
                remove_key(self._folder, key.number)
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

    def _renew(self, seconds: float) -> None:
        """Read again what was read longer ago."""
        if self._young(seconds):
            return
        with self._lock:
            if self._young(seconds):
                return
            now = self._clock()
            try:
                self._keys = self._read(now)
            except ConfigError as error:
                _log.error("%s", error)
            self._read_at = now

    def _young(self, seconds: float) -> bool:
        # A clock that was set back must not keep the keys from being read.
        return 0 <= self._clock() - self._read_at < seconds

    def _read(self, now: float) -> tuple[Key, ...]:
        keys = read_keys(self._folder)
        if not keys:
            add_key(self._folder, 1, now)
            keys = read_keys(self._folder)
        if not keys:
            raise ConfigError(f"{self._folder}: keys vanish as they are made")
        return keys
