"""One request and the head of its response, on a kept or a new connection."""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from attrs import frozen

from virtreg.backends.http.deadline import Deadline
from virtreg.backends.http.guard import (
    Dialer,
    GuardedHTTPConnection,
    GuardedHTTPSConnection,
    forbidden,
)
from virtreg.backends.http.pool import Pool
from virtreg.core.egress import EgressPolicy, WebUrl, check_url
from virtreg.errors import UpstreamTimeout, UpstreamUnavailable
from virtreg.model import UpstreamSpec


@frozen
class Proxy:
    """A forwarding HTTP proxy: absolute-form requests for http, CONNECT for https."""

    url: WebUrl
    headers: tuple[tuple[str, str], ...]


@frozen
class Exchange:
    """A response whose head was read, and the connection it came on."""

    connection: GuardedHTTPConnection
    response: http.client.HTTPResponse
    deadline: Deadline


def parse_proxy(text: str) -> Proxy:
    """Parse ``http://[user:password@]host:port``; raises ValueError saying what is wrong."""
    try:
        parts = urlsplit(text)
    except ValueError:  # its message could quote the password
        raise ValueError("the URL is malformed") from None
    userinfo, _, address = parts.netloc.rpartition("@")
    url = check_url(parts._replace(netloc=address).geturl())
    if url.scheme != "http" or url.target != "/":
        raise ValueError("the URL must be http://host:port")
    if not userinfo:
        return Proxy(url, ())
    plain = ":".join(unquote(part) for part in userinfo.partition(":")[::2])
    token = base64.b64encode(plain.encode()).decode()
    return Proxy(url, (("Proxy-Authorization", f"Basic {token}"),))


class Line:
    """Asks one upstream, or where it redirects to. Thread-safe.

    With a proxy, hosts given as addresses are checked here; names are resolved by the proxy, so
    what they stand for is the proxy's to guard.

    Raises OSError when ``spec.ca_file`` cannot be used, ValueError for a ``spec.url`` that is none.
    """

    def __init__(self, spec: UpstreamSpec, policy: EgressPolicy, proxy: Proxy | None) -> None:
        self._spec = spec
        self._policy = policy
        self._proxy = proxy
        # What is stored was named by whoever may use the API, and not by the operator.
        home = check_url(spec.url).host if spec.id is None else ""
        self._dialer = Dialer(spec.name, None if proxy else policy, home)
        # The system's authorities take long to read: not before an https connection needs them.
        self._tls = ssl.create_default_context(cafile=spec.ca_file) if spec.ca_file else None

    def ask(
        self,
        pool: Pool,
        url: WebUrl,
        method: str,
        headers: Sequence[tuple[str, str]],
        deadline: Deadline,
        body: bytes | None = None,
    ) -> Exchange:
        """Send a request and read the response's head.

        A kept connection that turns out closed before any byte came is replaced once, as RFC 9112
        (9.3.1) allows for idempotent requests; nothing else is tried twice. A request with a body,
        whose length its headers tell, gets a new one. Raises UpstreamError.
        """
        reason = None if self._proxy is None else self._policy.refuses_host(url.host)
        if reason is not None:
            raise forbidden(self._spec.name, url.host, reason)
        try:
            kept = pool.take(url.origin) if body is None else None
            if kept is not None:
                try:
                    return self._converse(kept, url, method, headers, deadline)
                except (ConnectionError, ssl.SSLEOFError):
                    if kept.begun:
                        raise
            fresh = self._connect(url, deadline)
            return self._converse(fresh, url, method, headers, deadline, body)
        except TimeoutError:
            raise deadline.error(self._spec.name, "no first byte") from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unavailable(f"no answer from {url.host}: {_reason(error)}") from None

    def _connect(self, url: WebUrl, deadline: Deadline) -> GuardedHTTPConnection:
        limit = self._spec.connect_timeout
        connection = self._open(url)
        connection.dialer = self._dialer
        connection.deadline = deadline.part(limit)
        try:
            connection.connect()
        except TimeoutError:
            connection.close()
            name = self._spec.name
            raise UpstreamTimeout(
                f"upstream {name!r}: no connection to {url.host} in {limit:g} s", upstream=name
            ) from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            said = f"no connection to {url.host}: {_reason(error)}"
            raise self._unavailable(said) from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self, url: WebUrl) -> GuardedHTTPConnection:
        via = url if self._proxy is None else self._proxy.url
        if url.scheme == "http":
            return GuardedHTTPConnection(via.host, via.port)
        if self._tls is None:
            self._tls = ssl.create_default_context()
        connection = GuardedHTTPSConnection(via.host, via.port, ssl_context=self._tls)
        if self._proxy is not None:
            connection.set_tunnel(url.host, url.port, dict(self._proxy.headers))
        return connection

    def _converse(
        self,
        connection: GuardedHTTPConnection,
        url: WebUrl,
        method: str,
        headers: Sequence[tuple[str, str]],
        deadline: Deadline,
        body: bytes | None = None,
    ) -> Exchange:
        connection.stream = None
        forwarded = self._proxy if url.scheme == "http" else None
        try:
            # The head as a whole gets the time of one silence: who drips it would otherwise hold
            # everybody who waits for it until the end of the whole exchange.
            connection.deadline = deadline.part(deadline.silence)
            connection.sock.settimeout(deadline.patience())
            target = url.target if forwarded is None else url.text
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            for name, value in () if forwarded is None else forwarded.headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            return Exchange(connection, connection.receive(deadline), deadline)
        except TimeoutError:
            connection.close()
            waited_for = "no end of the headers" if connection.begun else "no first byte"
            raise deadline.error(self._spec.name, waited_for) from None
        except BaseException:
            connection.close()
            raise

    def _unavailable(self, said: str) -> UpstreamUnavailable:
        name = self._spec.name
        return UpstreamUnavailable(f"upstream {name!r}: {said}", upstream=name)


def _reason(error: Exception) -> str:
    """A phrase for a person that quotes nothing a peer could have written, URLs included."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'handshake cut').lower().replace('_', ' ')}"
    if isinstance(error, ConnectionError):
        return "connection closed"
    if isinstance(error, http.client.HTTPException):
        return "malformed HTTP"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the proxy refused the tunnel"
