"""A value sealed for one name, and for one upstream if it is meant for one.

Fernet has no associated data, so what a value is bound to is sealed with it: a sealed text that is
moved to another name does not open there.
"""

from __future__ import annotations

import json

from attrs import frozen
from cryptography.fernet import InvalidToken, MultiFernet

from virtreg.model import Secret


@frozen
class Purpose:
    """What a value is for."""

    name: str
    upstream: str | None = None
    """None: any."""


class Unopened(ValueError):
    """Why a sealed text was not opened, worded to follow the name of the secret."""


def seal(value: Secret, purpose: Purpose, cipher: MultiFernet) -> str:
    """Sealed with the newest key."""
    return cipher.encrypt(
        json.dumps([purpose.name, purpose.upstream, value.reveal()]).encode()
    ).decode()


def unseal(sealed: str, purpose: Purpose, cipher: MultiFernet) -> Secret:
    """The value. Raises Unopened, quoting nothing."""
    try:
        name, upstream, text = json.loads(cipher.decrypt(sealed.encode()))
    except InvalidToken:
        raise Unopened("does not open with the keys there are, or was changed") from None
    if (name, upstream) != (purpose.name, purpose.upstream):
        raise Unopened("was sealed for another name or upstream, and moved here")
    return Secret(text)


def reseal(sealed: str, purpose: Purpose, cipher: MultiFernet) -> str:
    """The same value sealed with the newest key. Raises Unopened."""
    return seal(unseal(sealed, purpose, cipher), purpose, cipher)
