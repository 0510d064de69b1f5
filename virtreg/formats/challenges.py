"""What a 401 asks of a client (RFC 9110, 11.6.1)."""

from __future__ import annotations


def basic_challenge(realm: str) -> str:
    """A Basic challenge (RFC 7617); what a quoted-string cannot carry becomes ``?``."""
    safe = "".join(char if " " <= char <= "~" else "?" for char in realm)
    quoted = safe.replace("\\", "\\\\").replace('"', '\\"')
    return f'Basic realm="{quoted}", charset="UTF-8"'
