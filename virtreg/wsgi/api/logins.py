"""Comparing a login with the one that is kept, for programs that bring about what a file says.

Of those who may change an upstream some may not know its password, so that few wrong ones are
compared before nothing is told for a while."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen
from msgspec import Struct

from virtreg.model import Secret
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
        upstream, who = call.allow("configure", self.parts.upstream_of(call, self.flavour))
        sent = call.sent(Login)
        username, password = sent.username or None, sent.password or None
        same = self.parts.catalog.has_login(
            upstream.id,
            username if isinstance(username, str) else None,
            Secret(password) if isinstance(password, str) else None,
        )
        if not same:
            self.parts.tell(call, who, "upstream", upstream.id, "asked for another login")
        return Answer(LoginCompared(same=same))
