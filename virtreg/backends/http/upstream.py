"""An upstream registry spoken to over HTTP."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import time
from urllib.parse import quote, urldefrag, urljoin

from virtreg.backends.http.asking import Fields, credential_fields, locate, request_fields
from virtreg.backends.http.deadline import Deadline
from virtreg.backends.http.line import Line, parse_proxy
from virtreg.backends.http.pool import Pool
from virtreg.backends.http.reply import HttpReply
from virtreg.backends.http.verdict import (
    check_found,
    check_framing,
    check_lines,
    check_status,
    fold_headers,
)
from virtreg.core.egress import EgressPolicy, WebUrl, check_url
from virtreg.errors import (
    ConfigError,
    EgressRefused,
    InvalidRequest,
    UpstreamBusy,
    UpstreamUnavailable,
)
from virtreg.model import Fetch, UpstreamSpec

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URL_CHARACTERS = "%/:?#[]@!$&'()*+,;=~"


class HttpUpstream:
    """The Upstream behind ``spec.url``. Thread-safe, and safe to make before a fork.

    Nothing but ``spec.ca_file`` is read on construction: connections are opened when the first
    fetch of a process needs them. Raises ConfigError, naming the upstream and the field, for a
    spec that cannot be used.
    """

    def __init__(self, spec: UpstreamSpec, *, user_agent: str | None = None) -> None:
        self._spec = spec
        self._user_agent = user_agent
        self._pools: dict[int, Pool] = {}
        self._closed = False
        field = "url"
        try:
            self._base = check_url(spec.url)
            if self._base.query or spec.url.endswith("?"):
                raise ValueError("the URL must not contain a query")
            field = "allow_private"
            policy = EgressPolicy(spec.allow_private)
            field = "proxy"
            proxy = None if spec.proxy is None else parse_proxy(spec.proxy)
            field = "credentials"
            self._credentials = credential_fields(spec)
            field = "ca_file"
            self._line = Line(spec, policy, proxy)
        except (ValueError, OSError, InvalidRequest) as error:
            reason = (error.strerror or "unusable") if isinstance(error, OSError) else str(error)
            raise ConfigError(f"upstream {spec.name!r}: {field}: {reason}") from None

    @property
    def spec(self) -> UpstreamSpec:
        return self._spec

    def fetch(self, request: Fetch) -> HttpReply:
        """Ask once, following redirects; see :meth:`virtreg.protocols.Upstream.fetch`.

        Raises InvalidRequest too, for a path or header that cannot be sent at all.
        """
        url = locate(self._base, request.path)
        fields = request_fields(request, self._user_agent or _default_user_agent())
        deadline = Deadline(self._spec.total_timeout, self._spec.read_timeout)
        reply = self._follow(url, request, fields, deadline)
        try:
            check_status(self._spec.name, reply.status, reply.headers, time.time())
            check_found(self._spec.name, request, reply.status, reply.headers)
        except BaseException:
            reply.close()
            raise
        return reply

    def close(self) -> None:
        """Close idle connections; replies still open close theirs. Fetching ends."""
        self._closed = True
        for pool in list(self._pools.values()):
            pool.close()

    def _follow(self, url: WebUrl, request: Fetch, fields: Fields, deadline: Deadline) -> HttpReply:
        credentials = self._credentials
        visited = {url}
        for _ in range(_MOST_REDIRECTS + 1):
            reply = self._ask(url, request.method, (*fields, *credentials), deadline)
            if reply.status not in _REDIRECTS:
                return reply
            reply.close()
            url = self._redirected(url, reply.headers.get("location"))
            if url in visited:
                raise self._unavailable(f"redirect loop at {url.authority}")
            visited.add(url)
            if url.origin != self._base.origin:
                credentials = ()  # and never again: the way back was chosen by a stranger
        raise self._unavailable(
            f"more than {_MOST_REDIRECTS} redirects, the last to {url.authority}"
        )

    def _redirected(self, url: WebUrl, location: str | None) -> WebUrl:
        if location is None:
            raise self._unavailable(f"redirect without Location at {url.authority}")
        try:
            # http.client reads headers as Latin-1; servers send UTF-8 (RFC 9110, 5.5).
            target = quote(location.encode("latin-1"), safe=_URL_CHARACTERS)
            following = check_url(urldefrag(urljoin(url.text, target)).url)
        except ValueError as error:
            raise self._refused(
                f"redirect at {url.authority} may not be followed: {error}"
            ) from None
        if url.scheme == "https" and following.scheme == "http":
            raise self._refused(f"redirect from https to http at {following.host}")
        return following

    def _ask(self, url: WebUrl, method: str, fields: Fields, deadline: Deadline) -> HttpReply:
        """One exchange. It holds one of the upstream's slots until its reply is closed."""
        pool = self._pool()
        if not pool.acquire(self._spec.read_timeout):
            raise UpstreamBusy(
                f"upstream {self._spec.name!r}: all {self._spec.max_connections} connections busy",
                upstream=self._spec.name,
                retry_after=self._spec.read_timeout,
            )
        try:
            exchange = self._line.ask(pool, url, method, fields, deadline)
        except BaseException:
            pool.release()
            raise

        def release(reusable: bool) -> None:
            try:
                if reusable:
                    pool.keep(url.origin, exchange.connection)
                else:
                    exchange.connection.close()
            finally:
                pool.release()

        try:
            check_lines(self._spec.name, exchange.response.headers)
            headers = fold_headers(exchange.response.headers)
            bodiless = exchange.response.status == 304
            length = 0 if bodiless else check_framing(self._spec.name, headers)
        except BaseException:
            exchange.response.close()
            release(False)
            raise
        return HttpReply(
            self._spec.name, exchange, headers, method=method, length=length, release=release
        )

    def _pool(self) -> Pool:
        """This process's pool: sockets must not be shared with a parent or a child."""
        if self._closed:
            raise self._unavailable("closed")
        pid = os.getpid()
        pool = self._pools.get(pid)
        if pool is None:
            for parent in [other for other in list(self._pools) if other != pid]:
                inherited = self._pools.pop(parent, None)
                if inherited is not None:
                    inherited.abandon()
            pool = self._pools.setdefault(pid, Pool(self._spec.max_connections))
        return pool

    def _unavailable(self, said: str) -> UpstreamUnavailable:
        name = self._spec.name
        return UpstreamUnavailable(f"upstream {name!r}: {said}", upstream=name)

    def _refused(self, said: str) -> EgressRefused:
        name = self._spec.name
        return EgressRefused(f"upstream {name!r}: {said}", upstream=name)


@functools.cache
def _default_user_agent() -> str:
    return f"virtreg/{importlib.metadata.version('virtreg')}"
