"""Registries that are changed without a pause, and what may be pulled from them meanwhile."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from attrs import define, field

from tests.e2e import metadata
from tests.e2e.facts import Fact, Floor
from tests.e2e.management import Caller, Registry
from virtreg.testing.origin import Origin

REGISTRIES = ("first", "second", "passing")
"""``passing`` comes and goes."""

BANNED = "com/banned"
PLAIN = "com/acme"
LIST = f"{PLAIN}/app/maven-metadata.xml"
SIZES = {
    f"{PLAIN}/app/1.0/app-1.0-sources.jar": 300,
    f"{PLAIN}/app/1.0/app-1.0.jar": 20_000,
    f"{PLAIN}/big/1.0/big-1.0.jar": 2_000_000,
    f"{BANNED}/tool/1.0/tool-1.0.jar": 8_000,
}
PATHS = (*SIZES, LIST)

_HEAD = re.compile(rb"PK ([a-z]+) v([0-9]+) ")


def content(origin: str, version: int, path: str) -> bytes:
    """Of a file: another one at each origin, in each version, for each path."""
    if path == LIST:
        return metadata.artifact("com.acme", "app", [f"1.{version}-{origin}"])
    line = f"PK {origin} v{version} {path}\n".encode()
    return line * (SIZES[path] // len(line))


@define(eq=False)
class Source:
    """One origin with the upstream that asks it, while there is one."""

    name: str
    origin: Origin
    registries: tuple[str, ...] = REGISTRIES
    ruled: str = BANNED
    """How the paths begin that its rule is about."""
    version: int = 0
    floor: Floor = field(factory=Floor)
    denied: Fact = field(factory=Fact)
    linked: dict[str, Fact] = field(init=False)
    """By registry."""
    id: int | None = None
    rule: int | None = None

    @linked.default
    def _in_none(self) -> dict[str, Fact]:
        return {name: Fact() for name in self.registries}

    def renew(self) -> None:
        """Another version of everything."""
        self.version += 1
        for path in PATHS:
            self.origin.put(path, content(self.name, self.version, path))

    @property
    def users(self) -> list[str]:
        return [name for name, fact in self.linked.items() if fact.now]

    def may(self, registry: str, path: str, begin: float, end: float) -> bool:
        """Whether it may have answered."""
        if self.linked[registry].within(begin, end) == {False}:
            return False
        return not path.startswith(self.ruled) or self.denied.within(begin, end) != {True}

    def must(self, registry: str, path: str, begin: float, end: float) -> bool:
        """Whether it would have answered at any moment."""
        if self.linked[registry].within(begin, end) != {True}:
            return False
        return not path.startswith(self.ruled) or self.denied.within(begin, end) == {False}


@define(eq=False)
class Upheaval:
    """Maven registries over a few origins. One thread changes them, others judge."""

    admin: Caller
    sources: list[Source]
    dice: random.Random
    registries: dict[str, Registry] = field(factory=dict)
    done: Counter[str] = field(factory=Counter)
    """How often each change was made."""
    _bag: list[str] = field(factory=list)

    def judge(self, registry: str, path: str, status: int, body: bytes, times: Span) -> str | None:
        """What is wrong with an answer to a request that was sent and answered at these times."""
        begin, end = times
        if status not in (200, 403, 404):
            return f"status {status}: {body[:300]!r}"
        having = [each for each in self.sources if each.must(registry, path, begin, end)]
        if status != 200:
            return f"status {status} though {having[0].name} has it" if having else None
        if path == LIST:
            return self._judge_list(registry, body, times)
        found = _HEAD.match(body)
        if found is None:
            return f"a body of nobody: {body[:80]!r}"
        name, version = found[1].decode(), int(found[2])
        if body != content(name, version, path):
            return f"not what {name} has: {body[:80]!r}, {len(body)} bytes"
        return self._judge_source(registry, path, name, version, times)

    def _judge_list(self, registry: str, body: bytes, times: Span) -> str | None:
        listed = re.findall(r"<version>1\.([0-9]+)-([a-z]+)</version>", body.decode())
        for version, name in listed:
            wrong = self._judge_source(registry, LIST, name, int(version), times)
            if wrong is not None:
                return wrong
        names = {name for _, name in listed}
        missing = [
            each.name
            for each in self.sources
            if each.must(registry, LIST, *times) and each.name not in names
        ]
        return f"{missing} are not listed: {sorted(names)}" if missing else None

    def _judge_source(
        self, registry: str, path: str, name: str, version: int, times: Span
    ) -> str | None:
        source = next(each for each in self.sources if each.name == name)
        if not source.may(registry, path, *times):
            return f"{name} may not answer"
        if version < source.floor.at(times[0]):
            return f"{name} v{version} was purged: v{source.floor.at(times[0])}"
        return None

    def build(self) -> None:
        """As it begins: each origin in one registry, and all of them full."""
        for name in REGISTRIES:
            self.registries[name] = self.admin.make("packages/maven", name)
        for source in self.sources:
            source.renew()
            self._add(source, self.dice.choice(REGISTRIES[:2]))

    def change(self) -> None:
        """One change, whichever."""
        if not self._bag:
            self._bag = [each for each in _CHANGES for _ in range(_OFTEN.get(each, 2))]
            self.dice.shuffle(self._bag)
        name = self._bag.pop()
        if _CHANGES[name](self):
            self.done[name] += 1

    def _any(self, wanted: Callable[[Source], bool]) -> Source | None:
        found = [each for each in self.sources if wanted(each)]
        return self.dice.choice(found) if found else None

    def _somewhere(self) -> str:
        return self.dice.choice([*self.registries])

    def _add(self, source: Source, registry: str) -> None:
        source.renew()
        with source.linked[registry].becoming(True):
            source.id = self.registries[registry].upstream(source.name, source.origin.url)
        # It is another upstream, and has nothing of the one before.
        source.floor.rise(source.version)

    def create(self) -> bool:
        source = self._any(lambda each: each.id is None)
        if source is None:
            return False
        self._add(source, self._somewhere())
        return True

    def delete(self) -> bool:
        source = self._any(lambda each: each.id is not None)
        if source is None:
            return False
        with self._gone(source):
            self._ask("DELETE", f"upstreams/{source.id}")
        return True

    @contextmanager
    def _gone(self, source: Source) -> Iterator[None]:
        with ExitStack() as stack:
            for fact in source.linked.values():
                stack.enter_context(fact.becoming(False))
            yield
        if source.rule is not None:
            with source.denied.becoming(False):
                source.rule = None
        source.id = None

    def associate(self) -> bool:
        registry = self._somewhere()
        source = self._any(lambda each: each.id is not None and not each.linked[registry].now)
        if source is None:
            return False
        with source.linked[registry].becoming(True):
            link = {"registry_id": self.registries[registry].id, "upstream_id": source.id}
            self._ask("POST", "registry_upstreams", link)
        return True

    def disassociate(self) -> bool:
        source = self._any(lambda each: bool(each.users))
        if source is None:
            return False
        registry = self.dice.choice(source.users)
        place = self.registries[registry].places()[source.id or 0]
        with source.linked[registry].becoming(False):
            self._ask("DELETE", f"registry_upstreams/{place}")
        return True

    def move(self) -> bool:
        places = self.registries[self._somewhere()].places()
        if not places:
            return False
        place = self.dice.choice([*places.values()])
        position = self.dice.randint(1, len(places))
        self._ask("PATCH", f"registry_upstreams/{place}", {"position": position})
        return True

    def order(self) -> bool:
        registry = self.registries[self._somewhere()]
        order = self.dice.choice(["cached", "strict"])
        self._ask("PATCH", f"registries/{registry.id}", {"order": order})
        return True

    def deny(self) -> bool:
        source = self._any(lambda each: each.id is not None and each.rule is None)
        if source is None or source.id is None:
            return False
        with source.denied.becoming(True):
            source.rule = self.registries["first"].deny(source.id, "group_id", "com.banned*")
        return True

    def allow(self) -> bool:
        source = self._any(lambda each: each.rule is not None)
        if source is None or source.rule is None:
            return False
        with source.denied.becoming(False):
            self.registries["first"].allow_again(source.rule)
            source.rule = None
        return True

    def purge_upstream(self) -> bool:
        source = self._any(lambda each: each.id is not None)
        if source is None:
            return False
        source.renew()
        self._ask("DELETE", f"upstreams/{source.id}/cache")
        source.floor.rise(source.version)
        return True

    def purge_registry(self) -> bool:
        registry = self._somewhere()
        alone = [each for each in self.sources if each.users == [registry]]
        for source in alone:
            source.renew()
        self._ask("DELETE", f"registries/{self.registries[registry].id}/cache")
        for source in alone:
            source.floor.rise(source.version)
        return True

    def delete_entry(self) -> bool:
        source = self._any(lambda each: each.id is not None)
        if source is None:
            return False
        registry = self.registries["first"]
        entries = registry.asked("GET", f"upstreams/{source.id}/cache_entries")
        if not entries:
            return False
        # It may have gone by itself, when a download replaced it.
        entry = self.dice.choice(entries)["id"]
        return registry.ask("DELETE", f"cache_entries/{entry}").status == 204

    def passing(self) -> bool:
        registry = self.registries.pop("passing", None)
        if registry is None:
            self.registries["passing"] = self.admin.make("packages/maven", "passing")
            return True
        mine = [each for each in self.sources if each.linked["passing"].now]
        with ExitStack() as stack:
            for source in mine:
                if source.users == ["passing"]:
                    stack.enter_context(self._gone(source))
                else:
                    stack.enter_context(source.linked["passing"].becoming(False))
            registry.asked("DELETE", f"registries/{registry.id}")
        return True

    def _ask(self, method: str, path: str, body: object = None) -> None:
        self.registries["first"].asked(method, path, body)


Span = tuple[float, float]
"""From when to when."""

_CHANGES: dict[str, Callable[[Upheaval], bool]] = {
    change.__name__: change
    for change in (
        Upheaval.create,
        Upheaval.delete,
        Upheaval.associate,
        Upheaval.disassociate,
        Upheaval.move,
        Upheaval.order,
        Upheaval.deny,
        Upheaval.allow,
        Upheaval.purge_upstream,
        Upheaval.purge_registry,
        Upheaval.delete_entry,
        Upheaval.passing,
    )
}
CHANGES = frozenset(_CHANGES)
_OFTEN = {"create": 4, "associate": 6, "passing": 1}
"""Of every two of the others, so that there is something to pull."""
