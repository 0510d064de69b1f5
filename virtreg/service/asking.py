"""Asking upstreams: one exchange each, on the upstream's own threads, told apart by outcome."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

from attrs import field, frozen

from virtreg.errors import (
    EgressRefused,
    UpstreamDenied,
    UpstreamError,
    UpstreamRefused,
)
from virtreg.model import (
    Answered,
    Entry,
    Expectation,
    Representation,
    Route,
    UpstreamSpec,
    Validators,
)
from virtreg.protocols import Reply, Upstream
from virtreg.service.fetching import fetch_of
from virtreg.service.resolution import Resolved

T = TypeVar("T")

Question = tuple[Executor, Callable[[], T]]
"""What to ask, and where it is asked when the walk's own thread has others to wait for."""

FOUND = (200, 206)
UNCHANGED = 304


@frozen
class Heard:
    """One upstream's answer: a reply to read and close, or why there is none."""

    position: int
    answer: Answered
    reply: Reply | None = field(default=None, repr=False)
    """Open when ``answer.outcome`` is ``found``."""
    unchanged: bool = False
    denied: bool = False
    """Absent only as far as the upstream tells strangers."""
    error: UpstreamError | None = None
    pin: Route | None = None
    """Of a name that moves: where the body it stands for has its own path."""
    held: Entry | None = None
    """The upstream has the body under this path, too; it came from there under another."""
    facts: Representation | None = None
    """What the body would be, from its headers alone."""
    lent: Resolved | None = field(default=None, repr=False)
    """What a local upstream has, open, in the place of a reply."""


def ask(
    upstream: Upstream,
    position: int,
    route: Route,
    expectation: Expectation,
    known: Validators | None,
) -> Heard:
    """Ask one upstream for a route. Never raises an UpstreamError: it is part of the answer."""
    name = upstream.spec.name
    try:
        reply = upstream.fetch(fetch_of(route, expectation, known=known))
    except UpstreamError as error:
        return _failed(upstream.spec, position, error)
    if reply.status in FOUND:
        return Heard(position, Answered(name, "found", str(reply.status)), reply=reply)
    status = reply.status
    reply.close()
    if status == UNCHANGED:
        return Heard(position, Answered(name, "found", "304 Not Modified"), unchanged=True)
    detail = "410 Gone" if status == 410 else "404 Not Found"
    return Heard(position, Answered(name, "absent", detail))


def ask_by_head(
    upstream: Upstream,
    position: int,
    route: Route,
    expectation: Expectation,
    known: Validators | None,
    read: Callable[[Reply], Heard | None],
) -> Heard:
    """Ask one upstream with HEAD, which costs it little and counts against no quota; ``read``
    makes the answer of a reply that says found, and is given it closed.

    Where HEAD is not taken or is refused, says absent (proxies do so of what they have not fetched
    yet), or tells too little, GET decides.
    """
    try:
        reply = upstream.fetch(fetch_of(route, expectation, method="HEAD"))
    except UpstreamError as error:
        if not _may_be_of_head_alone(error):
            return _failed(upstream.spec, position, error)
    else:
        reply.close()
        heard = read(reply) if reply.status in FOUND else None
        if heard is not None:
            return heard
    return ask(upstream, position, route, expectation, known)


def _may_be_of_head_alone(error: UpstreamError) -> bool:
    """Whether GET may fare better. Links to object stores are signed for one method, and say 403
    to another; some registries say 401 to every HEAD of a blob."""
    refused = isinstance(error, UpstreamRefused) and not isinstance(error, EgressRefused)
    return refused or type(error) is UpstreamError


def _failed(spec: UpstreamSpec, position: int, error: UpstreamError) -> Heard:
    if isinstance(error, UpstreamRefused) and _means_absent(spec, error):
        answer = Answered(spec.name, "absent", error.message)
        return Heard(position, answer, denied=True)
    return Heard(position, answered(spec.name, error), error=error)


def _means_absent(spec: UpstreamSpec, error: UpstreamRefused) -> bool:
    if isinstance(error, EgressRefused):
        return False
    if spec.on_refused is None:
        # With credentials the same words may mean that somebody lost a right, and what another
        # upstream has under that name need not be the same thing.
        return isinstance(error, UpstreamDenied) and spec.anonymous
    return spec.on_refused == "absent"


def answered(name: str, error: UpstreamError) -> Answered:
    """An upstream error as one line of an error body."""
    return Answered(name, error.outcome, error.reason)


class Asking(Generic[T]):
    """The questions of one walk that are in flight. Used by the walk's thread; ``close`` drops
    what nobody waits for any more, as it arrives."""

    def __init__(self, discard: Callable[[T], None]) -> None:
        self._discard = discard
        self._answers: queue.SimpleQueue[T | _Raised] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._flying = 0

    def start(self, questions: Sequence[Question[T]]) -> None:
        """Put the questions; a lone one is put on this very thread, which has nothing else to
        do."""
        self._flying += len(questions)
        if len(questions) == 1 and self._flying == 1:
            self._run(questions[0][1])
            return
        for threads, question in questions:
            threads.submit(self._run, question)

    def wait(self) -> T:
        """The next answer to arrive. Raises what its question raised."""
        answer = self._answers.get()
        self._flying -= 1
        if isinstance(answer, _Raised):
            raise answer.error
        return answer

    def close(self) -> None:
        with self._lock:
            self._closed = True
        while not self._answers.empty():
            self._drop(self._answers.get())

    def _run(self, question: Callable[[], T]) -> None:
        answer: T | _Raised
        try:
            answer = question()
        except BaseException as error:  # noqa: BLE001 - raised again on the walk's thread
            answer = _Raised(error)
        with self._lock:
            if not self._closed:
                self._answers.put(answer)
                return
        self._drop(answer)

    def _drop(self, answer: T | _Raised) -> None:
        if not isinstance(answer, _Raised):
            self._discard(answer)


@frozen
class _Raised:
    error: BaseException


def close_reply(heard: Heard) -> None:
    """Drop an answer that nobody wants any more."""
    if heard.reply is not None:
        heard.reply.close()
    if heard.lent is not None:
        heard.lent.body.close()
