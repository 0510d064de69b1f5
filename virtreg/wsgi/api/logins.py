"""Comparing a login with the one that is kept, for programs that bring about what a file says."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from attrs import frozen
from msgspec import Struct

from virtreg.model import UpstreamSpec
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sent import Login


class LoginCompared(Struct, kw_only=True):
    same: bool


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Logins(parts, flavour).offer()]


@frozen(eq=False)
class _Logins:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        yield Endpoint(
            "POST",
            f"{self.flavour.root}/upstreams/{{id}}/login",
            f"Say whether this is the login that is kept of a {self.flavour.title} upstream",
            self.compare,
            body=Login,
            gives=LoginCompared,
            action="configure",
            documented=False,
        )

    def compare(self, call: Call) -> Answer:
        # Who may ask can also try whether creating a twin is refused, so that nothing more is told.
        upstream, _ = call.allow("configure", self.parts.upstream_of(call, self.flavour))
        return Answer(LoginCompared(same=_same(upstream.spec, call.sent(Login))))


def _same(kept: UpstreamSpec, sent: Login) -> bool:
    """In a time that does not tell how much of the password is right."""
    password = "" if kept.password is None else kept.password.reveal()
    names = (kept.username or "") == (sent.username or "")
    return hmac.compare_digest(password.encode(), str(sent.password or "").encode()) and names
