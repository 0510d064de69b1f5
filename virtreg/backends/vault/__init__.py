"""Secrets at rest: one file of sealed values, and the keys that open it kept elsewhere."""

from virtreg.backends.vault.keys import FILE, VARIABLE, MasterKeys, new_key
from virtreg.backends.vault.vault import Kept, Sealed, Vault

__all__ = ["FILE", "VARIABLE", "Kept", "MasterKeys", "Sealed", "Vault", "new_key"]
