"""From stored upstreams to those that a file wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from attrs import define, field

from virtreg.cli.api import Client
from virtreg.cli.applying.plan import Phase, Plan
from virtreg.cli.applying.stored import rules_of
from virtreg.cli.applying.wanted import Key, WantedUpstream
from virtreg.cli.finding import Thing, place_of
from virtreg.model import Rule

_RULE = ("rule_type", "target_coordinate", "pattern", "pattern_type")
_MOST_RULES = 20


@define(eq=False)
class Upstreams:
    """Those of a file, as they are found or made."""

    _client: Client
    _plan: Plan
    found: dict[Key, Thing] = field(factory=dict)
    """Grows as steps are done."""

    def match(
        self, wanted: Mapping[Key, WantedUpstream], stored: Sequence[tuple[Key, Thing]]
    ) -> list[Thing]:
        """Tell which stored one each wanted one is: that of its name, else that of its URL and user
        name, which then gets the name and keeps its cache. The stored ones that are left over;
        declared ones are used as they are, and never left over."""
        # What is local is not made from files, nor made into anything else; it goes.
        left = [pair for pair in stored if not _is_local(pair[1])]
        local = [pair for pair in stored if _is_local(pair[1])]
        for by in (_by_name, _by_address):
            for key, upstream in wanted.items():
                if key in self.found:
                    continue
                same = [pair for pair in left if by(upstream, *pair)]
                # Of several with one name, the one that is meant has the URL as well.
                same.sort(key=lambda pair: not _by_address(upstream, *pair))
                if same:
                    left.remove(same[0])
                    self.found[key] = same[0][1]
        return [thing for _, thing in left + local if not thing.shown["declared"]]

    def change(self, wanted: WantedUpstream) -> None:
        """Bring about what is said of one that is there."""
        thing = self.found[wanted.key]
        if thing.shown["declared"]:
            return
        changes, told = self._changes(wanted, thing)
        if changes:
            self._plan.tell("~", f"upstream {thing.shown['name']!r}: {', '.join(told)}")
            path = f"{thing.root}/upstreams/{thing.id}"
            self._plan.do(Phase.UPSTREAMS, lambda: self._client.patch(path, changes))
        self._rules(wanted, thing)

    def create(self, wanted: WantedUpstream, registry: Key, registries: dict[Key, Thing]) -> None:
        """Make one in the last place of a registry, which may have to be made itself."""
        login = wanted.login if wanted.username is not None else {}
        with_login = f", as {wanted.username!r}" if login else ""
        text = f"upstream {wanted.key[2]!r} in group {wanted.key[0]!r}: {wanted.fields['url']}"
        self._plan.tell("+", text + with_login)
        for rule in wanted.rules:
            self._plan.tell("+", f"upstream {wanted.key[2]!r}: {_told(_sent(rule))}")

        def create() -> None:
            into = registries[registry]
            body = {"name": wanted.key[2], **wanted.fields, **login}
            shown = self._client.post(f"{into.root}/registries/{into.id}/upstreams", body)
            made = self.found[wanted.key] = Thing(into.format, shown)
            for rule in wanted.rules:
                self._client.post(f"{made.root}/upstreams/{made.id}/rules", _sent(rule))

        self._plan.do(Phase.UPSTREAMS, create)

    def remove(self, thing: Thing) -> None:
        self._plan.tell("-", f"upstream {thing.shown['name']!r}: {place_of(thing.shown)}")
        path = f"{thing.root}/upstreams/{thing.id}"
        self._plan.do(Phase.ROOM, lambda: self._client.delete(path))

    def _changes(
        self, wanted: WantedUpstream, thing: Thing
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """What to send, and what to tell of it: never a password."""
        shown = thing.shown
        pairs = {"name": wanted.key[2], **wanted.fields}
        changes = {name: value for name, value in pairs.items() if shown.get(name) != value}
        told = [f"{name} {shown.get(name)} → {value}" for name, value in changes.items()]
        if wanted.username != shown.get("username"):
            told.append(f"username {shown['username']} → {wanted.username}")
        elif wanted.username is not None and not self._same_login(wanted, thing):
            told.append("another password")
        elif wanted.username is None or "url" not in changes:
            return changes, told
        # A new URL has the login that is sent with it.
        return changes | wanted.login, told

    def _same_login(self, wanted: WantedUpstream, thing: Thing) -> bool:
        path = f"{thing.root}/upstreams/{thing.id}/login"
        return bool(self._client.post(path, wanted.login)["same"])

    def _rules(self, wanted: WantedUpstream, thing: Thing) -> None:
        if not (wanted.rules or thing.shown["rules_count"]):
            return
        there = rules_of(self._client, thing)
        sent = [_sent(rule) for rule in wanted.rules]
        new = [rule for rule in sent if not any(_same_rule(rule, each) for each in there)]
        old = [each for each in there if not any(_same_rule(rule, each) for rule in sent)]
        name = thing.shown["name"]
        # What is not to be answered for is not for a moment, unless there is no room.
        phase = Phase.RULES if len(there) + len(new) <= _MOST_RULES else Phase.ROOM
        for rule in new:
            self._plan.tell("+", f"upstream {name!r}: {_told(rule)}")
            path = f"{thing.root}/upstreams/{thing.id}/rules"
            self._plan.do(Phase.RULES, partial(self._client.post, path, rule))
        for each in old:
            self._plan.tell("-", f"upstream {name!r}: {_told(each)}")
            path = f"{thing.root}/upstream_rules/{each['id']}"
            self._plan.do(phase, partial(self._client.delete, path))


def _is_local(thing: Thing) -> bool:
    return bool(thing.shown["upstream_type"] == "local" and not thing.shown["declared"])


def _by_name(wanted: WantedUpstream, key: Key, _: Thing) -> bool:
    return key == wanted.key


def _by_address(wanted: WantedUpstream, key: Key, thing: Thing) -> bool:
    address = (thing.shown.get("url"), thing.shown.get("username"))
    return key[:2] == wanted.key[:2] and address == (wanted.fields["url"], wanted.username)


def _sent(rule: Rule) -> dict[str, str]:
    return {name: getattr(rule, name) for name in _RULE}


def _same_rule(wanted: Mapping[str, str], shown: Mapping[str, Any]) -> bool:
    """Rules ignore case; two that differ in nothing else are one."""
    return all(wanted[name].lower() == str(shown[name]).lower() for name in _RULE)


def _told(rule: Mapping[str, Any]) -> str:
    return "{rule_type} {target_coordinate} {pattern_type} {pattern}".format_map(rule)
