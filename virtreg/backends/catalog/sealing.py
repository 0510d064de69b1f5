"""The passwords of stored upstreams, sealed each for its upstream."""

from __future__ import annotations

from cryptography.fernet import MultiFernet

from virtreg.backends.vault import MasterKeys
from virtreg.backends.vault.files import alone_in
from virtreg.backends.vault.sealing import Purpose, Unopened, reseal, seal, unseal
from virtreg.errors import ConfigError
from virtreg.model import Secret


class Sealer:
    """Seals with the newest key there is at that moment. Safe from any thread.

    Keys are read anew whenever they are needed: they may be rotated meanwhile.
    """

    def __init__(self, keys: MasterKeys) -> None:
        self.keys = keys

    def prepare(self) -> None:
        """Make a key unless there is one; only while nothing is sealed. Raises ConfigError."""
        if self.keys.given is not None or self.keys.read():
            return
        try:
            with alone_in(self.keys.path.parent):
                self.keys.make()
        except OSError as error:
            raise ConfigError(f"cannot write {self.keys.path}: {error.strerror}") from None

    def seal(self, upstream_id: int, password: Secret) -> str:
        """Raises ConfigError when there is no key."""
        return seal(password, _purpose(upstream_id), self.keys.cipher())

    def unseal(self, upstream_id: int, sealed: str) -> Secret:
        """Raises Unopened, and ConfigError when the keys cannot be read."""
        return unseal(sealed, _purpose(upstream_id), self.keys.cipher())


def resealed(upstream_id: int, sealed: str, cipher: MultiFernet) -> str:
    """The same password sealed with another key. Raises ConfigError, quoting nothing."""
    try:
        return reseal(sealed, _purpose(upstream_id), cipher)
    except Unopened as error:
        raise ConfigError(f"the password of upstream {upstream_id} {error}") from None


def _purpose(upstream_id: int) -> Purpose:
    return Purpose(f"upstream:{upstream_id}:password", str(upstream_id))
