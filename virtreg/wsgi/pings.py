"""The answer at the root of an API: it is spoken here, and the caller is known.

Clients of images ask it first, and some take the challenge from here alone (OCI
distribution-spec, end-1).
"""

from __future__ import annotations

from typing import Final

from virtreg.model import Headers

BODY: Final = b"{}"

HEADERS: Final[Headers] = (
    ("Content-Type", "application/json"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Docker-Distribution-Api-Version", "registry/2.0"),
    ("Content-Length", str(len(BODY))),
)
