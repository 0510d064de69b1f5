"""``python -m benchmarks.soaking.client SPECIFICATION``: threads that ask until their input ends,
and hold every byte of every answer against the truth.

Prints a JSON object a second, as :meth:`Judge.told` makes it.
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from attrs import define, field

from benchmarks.soaking.asking import Question, Questions
from benchmarks.soaking.schedule import calm
from benchmarks.soaking.truth import Body, World

SILENCE = 45.0
"""Seconds without a byte that are too many."""
LONGEST = 120.0
"""Seconds that an answer may take, unless its client is slow."""
_ERRORS = (502, 503, 504)
_PIECE = 256 * 1024


@define
class Judge:
    """Counts. Thread-safe."""

    world: World
    counts: Counter[str] = field(factory=Counter)
    findings: list[str] = field(factory=list)
    """What may not be, in words."""
    _lock: threading.Lock = field(factory=threading.Lock)

    def count(self, *names: str, by: int = 1) -> None:
        with self._lock:
            for name in names:
                self.counts[name] += by

    def find(self, fault: str, question: Question, told: str) -> None:
        at = time.time() - self.world.epoch
        said = f"{fault} at {at:.1f} s: {question.kind} {question.method} {question.path}: {told}"
        with self._lock:
            self.counts[f"finding: {fault}"] += 1
            self.findings.append(said)

    def told(self) -> dict[str, object]:
        """What came up since the last time."""
        with self._lock:
            told: dict[str, object] = {"counts": dict(self.counts), "findings": list(self.findings)}
            self.counts.clear()
            self.findings.clear()
        return told


@define
class Client:
    """One thread's, with a connection to each server."""

    judge: Judge
    hosts: Sequence[str]
    chance: random.Random
    _connections: dict[str, http.client.HTTPConnection] = field(factory=dict)

    def run(self, over: threading.Event) -> None:
        questions = Questions(self.judge.world, self.chance)
        tags: dict[str, str] = {}
        while not over.is_set():
            question = questions.next()
            tag = tags.get(question.path) if question.kind == "hot" else None
            if tag is not None and self.chance.random() < 0.3:
                self.ask(question, self.chance.choice(self.hosts), {"If-None-Match": tag})
            else:
                found = self.ask(question, self.chance.choice(self.hosts))
                if found:
                    tags[question.path] = found

    def ask(
        self, question: Question, host: str, further: dict[str, str] | None = None
    ) -> str | None:
        """Its entity tag, if all was as it should be."""
        begun = time.time()
        try:
            return self._exchange(question, host, {**question.headers, **(further or {})})
        except TimeoutError:
            self.judge.count("hung")
            self.judge.find("hang", question, f"{time.time() - begun:.1f} s, of {host}")
        except (OSError, http.client.HTTPException) as error:
            self.judge.count("requests", f"no answer: {type(error).__name__}")
            if self._calm(begun):
                self.judge.count(f"calm: no answer: {type(error).__name__}")
        connection = self._connections.pop(host, None)
        if connection is not None:
            connection.close()
        return None

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def _exchange(self, question: Question, host: str, headers: dict[str, str]) -> str | None:
        begun = time.time()
        connection = self._connections.get(host)
        if connection is None:
            connection = http.client.HTTPConnection(host, timeout=SILENCE)
            self._connections[host] = connection
        form = {"files": "maven", "pictures": "v2"}[question.registry]
        path = f"/{form}/{question.registry}/{question.path}"
        connection.request(question.method, path, headers=headers)
        answer = connection.getresponse()
        status, cache = answer.status, answer.headers.get("X-Virtreg-Cache", "")
        if status in (200, 206) and question.method != "HEAD":
            wrong, received = self._body(question, answer, begun)
        else:
            body = answer.read()
            wrong, received = self._bodiless(question, answer, "If-None-Match" in headers), 0
        if wrong and status == 206 and cache in ("miss", "joined"):
            # A part is answered before the whole is proved: whoever has all of them checks.
            self.judge.count("unproved part that was damaged")
        elif wrong:
            self.judge.find("wrong bytes", question, f"{status} {cache}: {wrong}")
        elif status >= 400 and not (status == 404 and question.absent):
            self._refused(question, answer, body, begun)
        self.judge.count("requests", f"{status} {cache}".strip())
        self.judge.count("bytes", by=received)
        if wrong:
            self._connections.pop(host).close()
        tag = answer.headers.get("ETag")
        return tag if status == 200 and not wrong else None

    def _body(
        self, question: Question, answer: http.client.HTTPResponse, begun: float
    ) -> tuple[str | None, int]:
        """What is wrong with it, and how long it is. Raises OSError when it is cut, TimeoutError
        when it takes too long."""
        if question.absent:
            return "of what is nowhere", len(answer.read())
        if question.right is not None:
            body = answer.read()
            with suppress(ValueError, KeyError):
                if question.right(body):
                    return None, len(body)
            return f"{body[:2000]!r}", len(body)
        at, stop = 0, None
        left: list[Body | bytes] = list(question.editions)
        if answer.status == 206:
            if question.part is None:
                return "a part, and all was asked for", 0
            at, stop = question.part
        first = at
        while piece := answer.read1(_PIECE):
            right = [each for each in left if _part(each, at, at + len(piece)) == piece]
            if not right:
                return f"from byte {at} on: {piece[:40].hex()}", at
            left = right
            at += len(piece)
            if question.rate:
                time.sleep(len(piece) / question.rate)
            elif time.time() - begun > LONGEST:
                raise TimeoutError
        answer.close()
        if not any(at == (_size(each) if stop is None else stop) for each in left):
            if (answer.length or 0) > 0:
                raise http.client.IncompleteRead(b"")
            return f"{at} bytes, and whole by its length", at
        return None, at - first

    def _bodiless(
        self, question: Question, answer: http.client.HTTPResponse, conditional: bool
    ) -> str | None:
        length = answer.headers.get("Content-Length")
        if question.method == "HEAD" and answer.status == 200:
            sizes = [str(_size(each)) for each in question.editions]
            return None if length in sizes else f"a length of {length}"
        if answer.status == 304 and not conditional:
            return "not modified since when"
        return None

    def _refused(
        self, question: Question, answer: http.client.HTTPResponse, body: bytes, begun: float
    ) -> None:
        code = _code(body)
        self.judge.count(f"error: {answer.status} {code}")
        if self._calm(begun):
            self.judge.count(f"calm: {answer.status} {code}")
        if answer.status not in _ERRORS:
            self.judge.find(
                f"status {answer.status}", question, body[:500].decode(errors="replace")
            )
        elif "Retry-After" not in answer.headers:
            self.judge.find("no Retry-After", question, f"{answer.status} {code}")

    def _calm(self, begun: float) -> bool:
        epoch = self.judge.world.epoch
        return calm(begun - epoch, time.time() - epoch)


def _part(body: Body | bytes, start: int, stop: int) -> bytes:
    return body.part(start, stop) if isinstance(body, Body) else body[start:stop]


def _size(body: Body | bytes) -> int:
    return body.size if isinstance(body, Body) else len(body)


def _code(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        return "without a type"
    if "errors" in told:
        return str(told["errors"][0].get("code"))
    return str(told.get("code"))


def _await_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    told = json.loads(sys.argv[1])
    judge, over = Judge(World(told["epoch"])), threading.Event()
    clients = [
        Client(judge, told["hosts"], random.Random(f"{told['seed']} {number}"))
        for number in range(told["threads"])
    ]
    threads = [threading.Thread(target=one.run, args=(over,), daemon=True) for one in clients]
    threading.Thread(target=_await_end, args=(over,), daemon=True).start()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(1)
        print(json.dumps(judge.told()), flush=True)
    for one in clients:
        one.close()


if __name__ == "__main__":
    main()
