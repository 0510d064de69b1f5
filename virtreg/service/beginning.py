"""The beginning of one upstream body: examined, and read whole if it is small."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from attrs import evolve, frozen

from virtreg.errors import IntegrityError, UpstreamTimeout, UpstreamUnavailable
from virtreg.model import Examination
from virtreg.protocols import Reply
from virtreg.service.claims import Claims, claims_of
from virtreg.service.exchange import ATTEMPTS, Exchange, Reading, pause
from virtreg.service.passing import EXAMINED


@frozen
class Begun:
    """What an answer that is being received is known to be."""

    claims: Claims
    headers: Mapping[str, str]
    """Of the first answer, as examined; a resumed one describes the same bytes."""


def begin(
    exchange: Exchange, reading: Reading, limit: int, closing: threading.Event
) -> tuple[Begun, bytes | None]:
    """What is known, and the whole body when it has at most ``limit`` bytes, starting over if it
    breaks off until ``closing`` is set. Raises IntegrityError and UpstreamError."""
    attempt = 0
    ends = time.monotonic() + exchange.upstream.spec.read_timeout
    while True:
        try:
            examination = _examine(exchange, reading)
            begun = Begun(
                claims_of(exchange, examination.claims),
                _headers(reading.reply, examination.content_type),
            )
            return begun, _settle(exchange, reading, limit)
        except (UpstreamTimeout, UpstreamUnavailable):
            exchange.upstream.failed()
            reading.reply.close()
            attempt += 1
            # One more silence may follow, and a client has waited for one already.
            late = time.monotonic() >= ends
            if late or attempt == ATTEMPTS or closing.wait(pause(attempt - 1)):
                raise
        reading.start_over(exchange.again())


def _examine(exchange: Exchange, reading: Reading) -> Examination:
    exchange.refuse_beyond_limit(reading.reply.length or 0)
    reading.fill(EXAMINED)
    examination = exchange.format.examine(
        exchange.route, reading.reply.headers, bytes(reading.buffer[:EXAMINED])
    )
    if examination.refusal is not None:
        raise IntegrityError(f"{exchange.name}: {examination.refusal}", upstream=exchange.name)
    if exchange.route.digest is None:
        return examination
    algorithm, fixed = exchange.route.digest
    return evolve(examination, claims={**examination.claims, algorithm: fixed})


def _settle(exchange: Exchange, reading: Reading, limit: int) -> bytes | None:
    """The whole body when it fits."""
    promised = reading.reply.length
    if promised is not None and promised > limit:
        return None
    reading.fill(limit + 1)
    if len(reading.buffer) > limit:
        return None
    exchange.upstream.delivered()
    exchange.refuse_beyond_limit(len(reading.buffer))
    exchange.refuse_unlike_promised(promised, len(reading.buffer))
    return bytes(reading.buffer)


def _headers(reply: Reply, content_type: str | None) -> Mapping[str, str]:
    if content_type is None:
        return reply.headers
    return {**reply.headers, "content-type": content_type}
