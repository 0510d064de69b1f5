"""Clients that ask any node for anything, and hold every answer against the truth of its time."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from attrs import define, field

from tests.faults.caller import Answer, ask
from tests.faults.node import Node
from tests.faults.truth import Times, Truth
from tests.faults.world import Thing, World

LIMIT = 60.0
"""Seconds: the longest answer."""

SLACK = 5.0
"""Seconds for which an answer may be behind: what is checked each second is believed for one, a
list of such for two, and a download or a node that is slow takes a while."""

FORCE = 3.0
"""Seconds after which a purge or a rule is in force everywhere. It is one, on a machine that is not
at its limit."""

BROKEN = 5.0
"""Seconds for which a fault may be felt when it is over."""

PAUSE = 0.1
"""Seconds between two requests of a client."""

PART = 100
"""Bytes of a part that is asked for: the smallest body, a manifest, has more than 400."""

_ERRORS = (500, 502, 503, 504)


@define
class Law:
    """What people did to the cache, by the monotonic clock. Thread-safe: each field is written by
    one thread, in one step."""

    faults: Times = field(factory=Times)
    purged: list[tuple[float, float]] = field(factory=list)
    """Of ``kept``: when each purge began, and had returned."""
    denied: Times = field(factory=Times)
    """While the rule is there, from before it is made until it is gone."""
    ruling: Times = field(factory=Times)
    """While the rule is being made or removed."""


@define
class Visitors:
    """Thread-safe."""

    nodes: Sequence[Node]
    world: World
    law: Law
    answers: Counter[str] = field(factory=Counter)
    complaints: list[str] = field(factory=list)
    _tags: dict[tuple[str, str], str] = field(factory=dict)
    """By path and entity tag, what it is the tag of."""
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def truth(self) -> Truth:
        return self.world.truth

    def visit(self, seed: int, over: Callable[[], bool]) -> None:
        """Ask again and again."""
        chance = random.Random(seed)
        known: dict[Thing, tuple[str, str]] = {}
        while not over():
            things = list(self.world.things)
            # Much is asked of what is new.
            at = max(chance.randrange(len(things)), chance.randrange(len(things)))
            self._one(chance, things[at], known)
            # What is done to the cache is done by threads of this process, too.
            threading.Event().wait(PAUSE)

    def ask(self, node: Node, thing: Thing) -> Answer:
        """A plain GET, held against the truth."""
        begun = time.monotonic()
        answer = ask(node.url(thing.registry, thing.path), LIMIT, headers=thing.headers)
        self._judge(thing, answer, begun, answer.body if answer.status == 200 else None)
        return answer

    def _one(
        self, chance: random.Random, thing: Thing, known: dict[Thing, tuple[str, str]]
    ) -> None:
        node = chance.choice(self.nodes)
        how = chance.random()
        if how < 0.6:
            answer = self.ask(node, thing)
            if answer.status == 200 and answer.whole and "etag" in answer.headers:
                known[thing] = (answer.headers["etag"], thing.essence(answer.body))
            return
        url, begun = node.url(thing.registry, thing.path), time.monotonic()
        if how < 0.7:
            answer = ask(url, LIMIT, method="HEAD", headers=thing.headers)
            self._judge(thing, answer, begun, None)
        elif how < 0.85 and not thing.listing and not thing.path.endswith(".sha1"):
            start = chance.randrange(300)
            headers = {**thing.headers, "Range": f"bytes={start}-{start + PART - 1}"}
            answer = ask(url, LIMIT, headers=headers)
            self._judge(thing, answer, begun, None)
            if answer.status == 206 and answer.whole:
                self._judge_part(thing, answer, begun, start)
        elif thing in known:
            tag, essence = known[thing]
            answer = ask(url, LIMIT, headers={**thing.headers, "If-None-Match": tag})
            whole = answer.body if answer.status == 200 else None
            self._judge(thing, answer, begun, whole)
            if answer.status == 304:
                self._true(thing, answer, begun, essence)

    def _judge(self, thing: Thing, answer: Answer, begun: float, body: bytes | None) -> None:
        kind = f"{answer.status} {answer.cache}" if answer.whole else f"{answer.status} cut"
        with self._lock:
            self.answers[kind.strip()] += 1
        if answer.hung:
            self._complain("no answer in time", thing, answer, begun)
        elif answer.status in _ERRORS:
            if answer.status == 500 or "retry-after" not in answer.headers:
                self._complain("not an error that may be", thing, answer, begun)
            elif not self.law.faults.within(begun - BROKEN, time.monotonic(), after=BROKEN):
                self._complain("an error, and nothing is broken", thing, answer, begun)
        elif answer.status == 404:
            since = begun - SLACK - answer.seconds
            if None not in self.truth.during(thing.key, since, time.monotonic()):
                self._complain("not found, and it is there", thing, answer, begun)
        elif answer.status not in (0, 200, 206, 304, 403):
            self._complain("an odd status", thing, answer, begun)
        elif body is not None and answer.whole:
            essence = thing.essence(body)
            self._true(thing, answer, begun, essence)
            self._tagged(thing, answer, begun, essence)
        if thing.registry == "bad" and answer.status:
            self._lawful(thing, answer, begun)
        elif answer.status == 403:
            self._complain("forbidden, and there is no rule", thing, answer, begun)

    def _true(self, thing: Thing, answer: Answer, begun: float, essence: str) -> None:
        """An old copy may be the answer where the upstream was not heard, and says so."""
        if essence not in self._allowed(thing, answer, begun):
            self._complain(f"not what it is: {essence[:60]}", thing, answer, begun)

    def _allowed(self, thing: Thing, answer: Answer, begun: float) -> set[str | None]:
        now = time.monotonic()
        if thing.registry == "kept":
            return self.truth.during(thing.key, self._purged_at(begun), now)
        if answer.cache == "stale":
            return self.truth.ever(thing.key)
        since = begun - SLACK
        since -= self.law.faults.within(since - BROKEN, now, after=BROKEN)
        return self._and_withdrawn(thing, self.truth.during(thing.key, since, now))

    def _and_withdrawn(self, thing: Thing, found: set[str | None]) -> set[str | None]:
        """What upstreams remove is kept."""
        return self.truth.ever(thing.key) if None in found else found

    def _purged_at(self, begun: float) -> float:
        """Since when it has to be true."""
        for purging, purged in reversed(list(self.law.purged)):
            felt = self.law.faults.within(purged - BROKEN, begun, after=BROKEN)
            if begun - purged > FORCE + felt:
                return purging
        return float("-inf")

    def _tagged(self, thing: Thing, answer: Answer, begun: float, essence: str) -> None:
        tag = answer.headers.get("etag")
        if tag is not None and self._tags.setdefault((thing.key, tag), essence) != essence:
            self._complain("one tag of two bodies", thing, answer, begun)

    def _judge_part(self, thing: Thing, answer: Answer, begun: float, start: int) -> None:
        allowed = self._allowed(thing, answer, begun)
        bodies = [self.world.bodies[each] for each in allowed if each is not None]
        if not any(body[start : start + PART] == answer.body for body in bodies):
            part = hashlib.sha256(answer.body).hexdigest()
            self._complain(f"a part of something else: {part[:16]}", thing, answer, begun)

    def _lawful(self, thing: Thing, answer: Answer, begun: float) -> None:
        now = time.monotonic()
        since = begun - FORCE
        since -= self.law.faults.within(since - BROKEN, now, after=BROKEN)
        if self.law.ruling.within(since, now):
            return
        denied = self.law.denied.within(since, now) > 0 and "/g0/" in thing.path
        if denied and answer.status in (200, 206, 304):
            self._complain("denied by a rule, and served", thing, answer, begun)
        if not denied and answer.status == 403:
            self._complain("forbidden, and there is no rule", thing, answer, begun)

    def _complain(self, what: str, thing: Thing, answer: Answer, begun: float) -> None:
        told = f"{what}: {thing.registry} {thing.path}: {answer} {answer.cache} at {begun:.2f}"
        with self._lock:
            self.complaints.append(told)
