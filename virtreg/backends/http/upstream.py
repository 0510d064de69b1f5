"""An upstream registry spoken to over HTTP."""

from __future__ import annotations

import functools
import importlib.metadata
import time
from collections.abc import Callable
from urllib.parse import quote, urldefrag, urljoin

from virtreg import correlation
from virtreg.backends.http.access import Access
from virtreg.backends.http.asking import (
    Fields,
    basic_field,
    credential_fields,
    locate,
    request_fields,
)
from virtreg.backends.http.credentials import CommandLogin, StaticLogin
from virtreg.backends.http.deadline import Deadline
from virtreg.backends.http.line import parse_proxy
from virtreg.backends.http.logins import Logins
from virtreg.backends.http.perprocess import PerProcess
from virtreg.backends.http.realm import RealmGuard
from virtreg.backends.http.reply import HttpReply
from virtreg.backends.http.tokenservice import TokenService
from virtreg.backends.http.verdict import check_found, check_status
from virtreg.backends.http.wire import Wire
from virtreg.core.egress import EgressPolicy, WebUrl, check_url
from virtreg.errors import ConfigError, EgressRefused, InvalidRequest, UpstreamUnavailable
from virtreg.model import Fetch, Secret, UpstreamSpec
from virtreg.protocols import CredentialProvider

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URL_CHARACTERS = "%/:?#[]@!$&'()*+,;=~"


class HttpUpstream:
    """The Upstream behind ``spec.url``. Thread-safe, and safe to make before a fork.

    Nothing but ``spec.ca_file`` is read on construction: connections are opened when the first
    fetch of a process needs them. Raises ConfigError, naming the upstream and the field, for a
    spec that cannot be used.

    The login comes from ``credentials``, else from the spec: its command, or its user name and
    password. A ``bearer`` of the spec is sent in place of any. ``clock`` gives seconds since the
    epoch, for the lives of logins and tokens.
    """

    def __init__(
        self,
        spec: UpstreamSpec,
        *,
        user_agent: str | None = None,
        credentials: CredentialProvider | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spec = spec
        self._user_agent = user_agent
        self._clock = clock
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
            self._fixed = credential_fields(spec)
            if spec.username is not None:
                basic_field(spec.username, spec.password or Secret(""))
            field = "token_realms"
            self._guard = RealmGuard(spec.name, spec.token_realms)
            field = "ca_file"
            self._wire = Wire(spec, policy, proxy)
        except (ValueError, OSError, InvalidRequest) as error:
            reason = (error.strerror or "unusable") if isinstance(error, OSError) else str(error)
            raise ConfigError(f"upstream {spec.name!r}: {field}: {reason}") from None
        self._provider = credentials or _provider(spec, self._base.authority, clock)
        self._access = PerProcess(self._make_access)

    @property
    def spec(self) -> UpstreamSpec:
        return self._spec

    def fetch(self, request: Fetch) -> HttpReply:
        """Ask once, following redirects; see :meth:`virtreg.protocols.Upstream.fetch`.

        Raises InvalidRequest too, for a path or header that cannot be sent at all.
        """
        url = locate(self._base, request.path, request.query)
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
        self._wire.close()

    def _follow(self, url: WebUrl, request: Fetch, fields: Fields, deadline: Deadline) -> HttpReply:
        visited = {url}
        trusted = True
        for _ in range(_MOST_REDIRECTS + 1):
            send = functools.partial(self._send, url, request, fields, deadline)
            reply = self._access.get().ask(url, request.scope, trusted, send)
            if reply.status not in _REDIRECTS:
                return reply
            reply.close()
            url = self._redirected(url, reply.headers.get("location"))
            if url in visited:
                raise self._unavailable(f"redirect loop at {url.authority}")
            visited.add(url)
            if url.origin != self._base.origin:
                trusted = False  # and never again: the way back was chosen by a stranger
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

    def _send(
        self, url: WebUrl, request: Fetch, fields: Fields, deadline: Deadline, credentials: Fields
    ) -> HttpReply:
        # Who is redirected to has no use for them.
        told = correlation.fields() if url.origin == self._base.origin else ()
        everything = (*fields, *told, *credentials)
        return self._wire.ask(url, request.method, everything, deadline, bulk=request.bulk)

    def _make_access(self) -> Access:
        name = self._spec.name
        provider = self._provider
        logins = None if provider is None else Logins(provider, name, self._clock)
        agent = self._user_agent or _default_user_agent()
        service = TokenService(self._spec, self._wire, agent, self._clock)
        return Access(self._fixed, logins, self._guard, service, self._clock)

    def _unavailable(self, said: str) -> UpstreamUnavailable:
        name = self._spec.name
        return UpstreamUnavailable(f"upstream {name!r}: {said}", upstream=name)

    def _refused(self, said: str) -> EgressRefused:
        name = self._spec.name
        return EgressRefused(f"upstream {name!r}: {said}", upstream=name)


def _provider(
    spec: UpstreamSpec, host: str, clock: Callable[[], float]
) -> CredentialProvider | None:
    if spec.credential_command:
        argv = spec.credential_command
        return CommandLogin(argv, spec.name, host, spec.username, clock=clock)
    return None if spec.username is None else StaticLogin(spec)


@functools.cache
def _default_user_agent() -> str:
    return f"virtreg/{importlib.metadata.version('virtreg')}"
