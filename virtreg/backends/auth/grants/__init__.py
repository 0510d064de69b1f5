"""Short-lived tokens of our own for image clients (Docker Registry token authentication)."""

from __future__ import annotations

from virtreg.backends.auth.grants.authenticator import GrantAuthenticator
from virtreg.backends.auth.grants.granted import Granted, Issued
from virtreg.backends.auth.grants.grants import Grants
from virtreg.backends.auth.grants.keyfiles import KeyFolder
from virtreg.backends.auth.grants.keys import Keys, KeyShelf

__all__ = ["GrantAuthenticator", "Granted", "Grants", "Issued", "KeyFolder", "KeyShelf", "Keys"]
