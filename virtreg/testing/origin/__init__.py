"""A real upstream server on loopback that misbehaves on request."""

from virtreg.testing.gate import Gate
from virtreg.testing.origin.behaviour import Behaviour, basic, bearer
from virtreg.testing.origin.conversation import Seen
from virtreg.testing.origin.server import Origin
from virtreg.testing.origin.tokens import Issued, Lock, Tokens

__all__ = [
    "Behaviour",
    "Gate",
    "Issued",
    "Lock",
    "Origin",
    "Seen",
    "Tokens",
    "basic",
    "bearer",
]
