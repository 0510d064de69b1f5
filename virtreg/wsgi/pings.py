"""The answer at the root of an API: it is spoken here, and the caller is known.

Clients of images ask it first, and some take the challenge from here alone (OCI
distribution-spec, end-1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from virtreg.errors import Forbidden, NotFound, Unauthenticated
from virtreg.model import Headers, Scope
from virtreg.wsgi.place import Ping
from virtreg.wsgi.scoping import scope_of

BODY: Final = b"{}"

HEADERS: Final[Headers] = (
    ("Content-Type", "application/json"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Docker-Distribution-Api-Version", "registry/2.0"),
    ("Content-Length", str(len(BODY))),
)


def admit(ping: Ping, admitted: Callable[[Scope], None]) -> None:
    """Ask ``admitted`` for each registry that this may be about.

    Raises what it raises, except Forbidden and NotFound where there are several: then the caller
    is known, and which registry is meant is not. Nor does it matter here what a grant is for.
    """
    for served in ping.asked_of:
        try:
            admitted(scope_of(served, ""))
        except (Forbidden, NotFound):
            if len(ping.asked_of) == 1:
                raise
        except Unauthenticated as error:
            if error.reason != "insufficient_scope":
                raise
