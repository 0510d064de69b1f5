"""The ``Authorization`` header (RFC 9110, 11.6.2), parsed."""

from __future__ import annotations

import base64

from virtreg.errors import Unauthenticated


def scheme(header: str) -> str:
    """Its scheme in lower case; empty for none."""
    return header.strip(" \t").partition(" ")[0].lower()


def parse_basic(header: str) -> tuple[str, str]:
    """User name and password (RFC 7617, 2), read as UTF-8. Raises Unauthenticated with the reason,
    without the value."""
    name, _, token = header.strip(" \t").partition(" ")
    if name.lower() != "basic":
        raise Unauthenticated("the credentials must use the Basic scheme")
    try:
        text = base64.b64decode(token.lstrip(" "), validate=True).decode("utf-8")
    except ValueError:
        # The cause holds the credentials.
        raise Unauthenticated("the Basic credentials are not base64 of UTF-8 text") from None
    user, colon, password = text.partition(":")
    if not colon:
        raise Unauthenticated("the Basic credentials hold no ':'")
    return user, password


def parse_bearer(header: str) -> str:
    """The token (RFC 6750, 2.1). Raises Unauthenticated for another scheme and for none."""
    name, _, token = header.strip(" \t").partition(" ")
    if name.lower() != "bearer" or not token.strip(" "):
        raise Unauthenticated("the credentials must use the Bearer scheme")
    return token.strip(" ")
