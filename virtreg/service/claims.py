"""What an upstream says the digests of a body are."""

from __future__ import annotations

from concurrent.futures import Future

from virtreg.core.digests import parse_sidecar
from virtreg.errors import UpstreamBusy, UpstreamError, UpstreamThrottled
from virtreg.model import Algorithm, Digests
from virtreg.service.exchange import Exchange, Reading
from virtreg.service.fetching import beside

_SIDECAR_LIMIT = 4096


class Claims:
    """What the upstream says the digests are: from its headers, or from a checksum file that is
    still being fetched."""

    def __init__(
        self, known: Digests, sidecar: Future[tuple[Algorithm, str] | None] | None
    ) -> None:
        self.known = known
        self._sidecar = sidecar

    def wait(self) -> Digests:
        """Raises an UpstreamError that is ``put_off`` when the checksum file could not be asked
        for; ``ask_again`` then."""
        if self._sidecar is None:
            return self.known
        found = self._sidecar.result()
        return self.known if found is None else {found[0]: found[1]}

    def ask_again(self, exchange: Exchange) -> Digests:
        """Ask for the checksum file once more, on this thread. Raises as ``wait`` does."""
        found = _read_sidecar(exchange)
        return self.known if found is None else {found[0]: found[1]}


def put_off(error: UpstreamError) -> bool:
    """Whether the upstream, or we in its place, only said to come back later."""
    later = isinstance(error, UpstreamBusy | UpstreamThrottled)
    return later or error.retry_after is not None


def claims_of(exchange: Exchange, known: Digests) -> Claims:
    """The claims of an answer; a checksum file is looked for only where the answer itself proves
    nothing."""
    if known or not exchange.expectation.sidecars:
        return Claims(known, None)
    return Claims(known, exchange.upstream.threads.submit(_read_sidecar, exchange))


def _read_sidecar(exchange: Exchange) -> tuple[Algorithm, str] | None:
    """The first checksum file that exists and parses. One that cannot be had claims nothing.

    Raises what is ``put_off``: nobody looked for the file.
    """
    for algorithm, path in exchange.expectation.sidecars:
        try:
            reply = exchange.upstream.fetch(beside(path, exchange.expectation))
        except UpstreamError as error:
            if put_off(error):
                raise
            return None
        try:
            if reply.status != 200:
                continue
            reading = Reading(reply)
            reading.fill(_SIDECAR_LIMIT)
        except UpstreamError:
            return None
        finally:
            reply.close()
        claimed = parse_sidecar(bytes(reading.buffer[:_SIDECAR_LIMIT]), algorithm)
        if claimed is not None:
            return algorithm, claimed
    return None
