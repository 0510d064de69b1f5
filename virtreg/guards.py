"""What stands before an application: the hosts it answers as, and how often one address asks."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import field, frozen

from virtreg.config import Config, LimitsConfig, ServerConfig
from virtreg.model import Credentials, Principal
from virtreg.protocols import Authenticator
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.hosts import AllowedHosts, LocalHosts
from virtreg.wsgi.limits import RequestLimit
from virtreg.wsgi.signins import SignInLimit

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Check = Callable[["WSGIEnvironment"], None]
"""Asked about every request before anything else; raises what is wrong with it."""


@frozen(eq=False)
class Guards:
    """Of one process, for all its threads."""

    checks: tuple[Check, ...] = ()
    signins: SignInLimit | None = None
    addresses: Addresses = field(factory=Addresses)
    """Tells callers apart, for whatever is shared out among them."""

    def guard(
        self, authenticator: Authenticator, proves: Callable[[Credentials], bool] = lambda _: False
    ) -> Authenticator:
        """The authenticator within the limits of sign-ins; ``proves`` as for
        :meth:`virtreg.wsgi.signins.SignInLimit.guard`."""
        return authenticator if self.signins is None else self.signins.guard(authenticator, proves)

    def count(self, principal: Principal) -> None:
        """Count a request with somebody's token, where nobody is asked whether it is good. Raises
        TooManyRequests."""
        if self.signins is not None:
            self.signins.count(principal)


def open_guards(config: Config, *, restricted: bool, listening: bool) -> Guards:
    """``restricted``: not everybody may pull. ``listening``: the server that the configuration
    describes is the one that serves, and not a host program with an address of its own."""
    found: list[Check] = []
    server = config.server
    own = [host for registry in config.registries for host in registry.hosts]
    if server.external_url:
        own.append(urlsplit(server.external_url).netloc)
    if server.allowed_hosts:
        found.append(AllowedHosts((*server.allowed_hosts, *own)).check)
    elif listening and not restricted and _on_loopback(server):
        found.append(LocalHosts(own).check)
    limits = config.limits or (LimitsConfig() if restricted else None)
    addresses = Addresses(server.trusted_proxies)
    if limits is None:
        return Guards(tuple(found), None, addresses)
    if limits.requests:
        found.append(RequestLimit(limits.requests, limits.seconds, addresses).check)
    if not restricted:
        return Guards(tuple(found), None, addresses)
    signins = SignInLimit(limits.failed_logins, limits.requests, limits.seconds, addresses)
    return Guards(tuple(found), signins, addresses)


def _on_loopback(server: ServerConfig) -> bool:
    try:
        return ip_address(server.host).is_loopback
    except ValueError:
        return server.host == "localhost"
