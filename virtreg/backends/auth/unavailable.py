"""Nobody can be told from anybody at the moment."""

from __future__ import annotations

from typing import ClassVar

from virtreg.errors import VirtregError


class SignInUnavailable(VirtregError):
    """Whoever knows the users cannot be asked, so credentials are neither right nor wrong: a
    client that heard 401 would throw good ones away."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "sign_in_unavailable"
