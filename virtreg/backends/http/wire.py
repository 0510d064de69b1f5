"""Single exchanges of one upstream, each within its limit of connections."""

from __future__ import annotations

from virtreg.backends.http.asking import Fields
from virtreg.backends.http.deadline import Deadline
from virtreg.backends.http.line import Line, Proxy
from virtreg.backends.http.perprocess import PerProcess
from virtreg.backends.http.pool import Pool
from virtreg.backends.http.reply import HttpReply
from virtreg.backends.http.verdict import check_framing, check_lines, fold_headers
from virtreg.core.egress import EgressPolicy, WebUrl
from virtreg.errors import UpstreamBusy, UpstreamUnavailable
from virtreg.model import UpstreamSpec


class Wire:
    """Asks hosts on behalf of one upstream. Thread-safe, and safe to make before a fork.

    Raises OSError when ``spec.ca_file`` cannot be used, ValueError for a ``spec.url`` that is none.
    """

    def __init__(self, spec: UpstreamSpec, policy: EgressPolicy, proxy: Proxy | None) -> None:
        self._spec = spec
        self._line = Line(spec, policy, proxy)
        self._pools = PerProcess(lambda: Pool(spec.max_connections), Pool.abandon)
        self._closed = False

    def ask(
        self,
        url: WebUrl,
        method: str,
        fields: Fields,
        deadline: Deadline,
        body: bytes | None = None,
        *,
        bulk: bool = False,
    ) -> HttpReply:
        """One exchange, whatever its status. It holds one of the upstream's slots until its reply
        is closed, one of those for bulk if it is. Raises UpstreamError."""
        pool = self._pool()
        if not pool.acquire(self._spec.read_timeout, bulk=bulk):
            raise UpstreamBusy(
                f"upstream {self._spec.name!r}: all {self._spec.max_connections} connections busy",
                upstream=self._spec.name,
                retry_after=self._spec.read_timeout,
            )
        try:
            exchange = self._line.ask(pool, url, method, fields, deadline, body)
        except BaseException:
            pool.release(bulk=bulk)
            raise

        def release(reusable: bool) -> None:
            try:
                if reusable:
                    pool.keep(url.origin, exchange.connection)
                else:
                    exchange.connection.close()
            finally:
                pool.release(bulk=bulk)

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

    def close(self) -> None:
        """Close idle connections; replies still open close theirs. Asking ends."""
        self._closed = True
        for pool in self._pools.all():
            pool.close()

    def _pool(self) -> Pool:
        if self._closed:
            name = self._spec.name
            raise UpstreamUnavailable(f"upstream {name!r}: closed", upstream=name)
        return self._pools.get()
