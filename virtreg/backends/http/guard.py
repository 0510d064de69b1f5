"""Connections that reach only addresses the egress policy allows.

``_new_conn`` is overridden because it is the one place where urllib3 turns a name into a socket:
resolving there, and connecting to the very addresses that were checked, leaves no second lookup
for a rebinding name server to answer differently. TLS and the Host header keep the name.
"""

from __future__ import annotations

import http.client
import socket
import time
from typing import cast

from attrs import frozen
from urllib3.connection import HTTPConnection, HTTPSConnection

from virtreg.backends.http.deadline import Deadline, TimedStream
from virtreg.backends.http.response import FinalResponse, Lines
from virtreg.core.egress import EgressPolicy
from virtreg.errors import EgressRefused, UpstreamTimeout, UpstreamUnavailable


@frozen
class Dialer:
    """Opens TCP connections for one upstream. Thread-safe.

    Resolving is the system's: its time limit is the resolver's own, not ``timeout``.
    """

    upstream: str
    policy: EgressPolicy | None
    """None for the way to a proxy, whose address the operator chose."""
    home: str = ""
    """The host the operator named: only its addresses are told. Those of hosts that redirects
    name would map the inside of a network for whoever made the redirect."""

    def dial(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect within ``timeout`` seconds over all addresses of the host.

        Raises EgressRefused when any address is forbidden, UpstreamUnavailable, UpstreamTimeout.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise UpstreamUnavailable(
                f"upstream {self.upstream!r}: name {host} does not resolve", upstream=self.upstream
            ) from None
        for *_, address in found:
            self._check(host, str(address[0]))
        ends = time.monotonic() + timeout
        failure: str | None = None
        for left, (family, kind, protocol, _, address) in zip(
            range(len(found), 0, -1), found, strict=True
        ):
            share = (ends - time.monotonic()) / left  # a dead address leaves time for the others
            if share <= 0:
                break
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(share)
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError:
                sock.close()
            except OSError as error:
                sock.close()
                failure = (error.strerror or "no connection").lower()
            else:
                return sock
        if failure is None:
            raise UpstreamTimeout(
                f"upstream {self.upstream!r}: no connection to {host} in {timeout:g} s",
                upstream=self.upstream,
            )
        raise UpstreamUnavailable(
            f"upstream {self.upstream!r}: {host} port {port}: {failure}", upstream=self.upstream
        )

    def _check(self, host: str, address: str) -> None:
        reason = None if self.policy is None else self.policy.refuses(address)
        if reason is not None:
            told = f"{host} ({address})" if host == self.home != address else host
            raise forbidden(self.upstream, told, reason)


def forbidden(upstream: str, host: str, reason: str) -> EgressRefused:
    """The error for a host the egress policy refuses."""
    return EgressRefused(
        f"upstream {upstream!r}: {host} may not be reached: {reason}", upstream=upstream
    )


class GuardedHTTPConnection(HTTPConnection):
    """http, direct or through a forwarding proxy."""

    dialer: Dialer
    deadline: Deadline
    """Of the exchange under way; set anew for each."""
    stream: TimedStream | None = None
    """What the response under way is read from."""

    def _new_conn(self) -> socket.socket:
        sock = self.dialer.dial(self._dns_host, self.port, self.deadline.patience())
        sock.settimeout(self.deadline.patience())  # for the TLS handshake
        return sock

    # urllib3 types it as a class; http.client only ever calls it.
    def response_class(  # type: ignore[override]
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None
    ) -> http.client.HTTPResponse:
        """Called by http.client for each response, a proxy's to CONNECT included."""
        self.stream = TimedStream(sock, self.deadline)
        opened = cast("socket.socket", _Opened(self.stream))
        return FinalResponse(opened, debuglevel, method)

    @property
    def begun(self) -> bool:
        """Whether any byte of the response under way arrived."""
        return self.stream is not None and self.stream.started

    def receive(self, body: Deadline) -> http.client.HTTPResponse:
        """The response as http.client reads it: urllib3's own class would decode bodies, and its
        warnings would log the URL's query. From its head on it is held to ``body``."""
        response = http.client.HTTPConnection.getresponse(self)
        self.hold_to(body)
        return response

    def hold_to(self, deadline: Deadline) -> None:
        """Limit what is still to be read of the response under way."""
        if self.stream is not None:
            self.stream.deadline = deadline


class GuardedHTTPSConnection(GuardedHTTPConnection, HTTPSConnection):
    """https, direct or through a CONNECT tunnel."""


@frozen
class _Opened:
    """All that http.client asks of a socket to read from."""

    stream: TimedStream

    def makefile(self, _mode: str) -> Lines:
        return Lines(self.stream)
