"""From what is stored to what a file wants, told line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from virtreg.cli.api import Client
from virtreg.cli.applying.plan import Phase, Plan
from virtreg.cli.applying.stored import Stored, ownerships_of
from virtreg.cli.applying.upstreams import Upstreams
from virtreg.cli.applying.wanted import Key, Wanted, WantedRegistry
from virtreg.cli.finding import PARTS, Thing, in_group


def plan_of(client: Client, wanted: Wanted, stored: Stored) -> tuple[Plan, list[str]]:
    """What must be done, and the names of registries that the server's own file declares, which are
    left to it. Asks, and changes nothing. Raises ClickException, and ValueError with a line for
    each thing that cannot be stored."""
    planning = _Planning(client, wanted, stored)
    return planning.plan(), planning.declared


@define(eq=False)
class _Planning:
    _client: Client
    _wanted: Wanted
    _stored: Stored
    declared: list[str] = field(factory=list)
    _plan: Plan = field(factory=Plan)
    _found: dict[Key, Thing] = field(factory=dict)
    """Registries; grows as steps are done."""
    _upstreams: Upstreams = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._upstreams = Upstreams(self._client, self._plan)

    def plan(self) -> Plan:
        ours = [each for each in self._wanted.registries if not self._is_declared(each)]
        if problems := list(dict.fromkeys(line for each in ours for line in each.problems)):
            raise ValueError("\n".join(problems))
        keys = dict.fromkeys(key for each in ours for key in each.upstreams)
        wanted = {key: self._wanted.upstreams[key] for key in keys}
        left = self._upstreams.match(wanted, self._stored.upstreams)
        for registry in ours:
            self._registry(registry)
        for key, upstream in wanted.items():
            if key in self._upstreams.found:
                self._upstreams.change(upstream)
            else:
                first = next(each for each in ours if key in each.upstreams)
                self._upstreams.create(upstream, first.key, self._found)
        for registry in ours:
            self._arrange(registry)
            self._own(registry)
        for thing in left:
            self._upstreams.remove(thing)
        ours_named = {each.key for each in ours}
        for key, thing in self._stored.registries.items():
            if key not in ours_named and not thing.shown["declared"]:
                self._remove(thing)
        return self._plan

    def _is_declared(self, registry: WantedRegistry) -> bool:
        there = self._stored.registries.get(registry.key)
        declared = there is not None and bool(there.shown["declared"])
        if declared:
            self.declared.append(registry.key[2])
        return declared

    def _registry(self, wanted: WantedRegistry) -> None:
        group, format_name, name = wanted.key
        there = self._stored.registries.get(wanted.key)
        if there is None:
            self._plan.tell("+", f"registry {name!r} ({format_name}, group {group!r})")
            self._plan.do(Phase.REGISTRIES, lambda: self._create(wanted))
            return
        self._found[wanted.key] = there
        shown = there.shown
        changes = {key: value for key, value in wanted.fields.items() if shown[key] != value}
        if changes:
            told = ", ".join(f"{key} {shown[key]} → {value}" for key, value in changes.items())
            self._plan.tell("~", f"registry {name!r}: {told}")
            path = f"{there.root}/registries/{there.id}"
            self._plan.do(Phase.REGISTRIES, lambda: self._client.patch(path, changes))

    def _create(self, wanted: WantedRegistry) -> None:
        group, format_name, name = wanted.key
        path = in_group(group, f"{PARTS[format_name]}/registries")
        shown = self._client.post(path, {"name": name, **wanted.fields})
        self._found[wanted.key] = Thing(format_name, shown)

    def _arrange(self, wanted: WantedRegistry) -> None:
        there = self._stored.registries.get(wanted.key)
        before: Sequence[Mapping[str, Any]] = () if there is None else there.shown["upstreams"]
        known = {each.id: key for key, each in self._upstreams.found.items()}
        order = [known.get(each["id"]) for each in before]
        if order == list(wanted.upstreams):
            return
        after = ", ".join(key[2] for key in wanted.upstreams)
        if there is None:
            self._plan.tell("~", f"registry {wanted.key[2]!r}: upstreams {after}")
        else:
            told = ", ".join(each["name"] for each in before) or "none"
            self._plan.tell("~", f"registry {wanted.key[2]!r}: upstreams {told} → {after}")
            self._plan.do(Phase.ROOM, lambda: self._make_room(there, wanted, known))
        self._plan.do(Phase.ORDER, lambda: self._order(wanted))

    def _make_room(self, there: Thing, wanted: WantedRegistry, known: Mapping[int, Key]) -> None:
        for each in self._listed(there):
            if known.get(each["id"]) not in wanted.upstreams:
                number = each["registry_upstream"]["id"]
                self._client.delete(f"{there.root}/registry_upstreams/{number}")

    def _order(self, wanted: WantedRegistry) -> None:
        registry = self._found[wanted.key]
        numbers = [self._upstreams.found[key].id for key in wanted.upstreams]
        listed = self._listed(registry)
        places = {each["id"]: each["registry_upstream"]["id"] for each in listed}
        order = [each["id"] for each in listed]
        for number in numbers:
            if number not in places:
                body = {"registry_id": registry.id, "upstream_id": number}
                made = self._client.post(f"{registry.root}/registry_upstreams", body)
                places[number] = made["id"]
                order.append(number)
        for position, number in enumerate(numbers, 1):
            if order[position - 1] != number:
                path = f"{registry.root}/registry_upstreams/{places[number]}"
                self._client.patch(path, {"position": position})
                order.remove(number)
                order.insert(position - 1, number)

    def _own(self, wanted: WantedRegistry) -> None:
        there = self._stored.registries.get(wanted.key)
        before = [] if there is None else ownerships_of(self._client, there)
        known = {each.id: key[2] for key, each in self._upstreams.found.items()}
        told = [
            (
                *(each["target_coordinate"], each["pattern"], each["pattern_type"]),
                tuple(known.get(number, "") for number in each["upstream_ids"]),
            )
            for each in before
        ]
        after = [
            (each.target_coordinate, each.pattern, each.pattern_type, each.upstreams)
            for each in wanted.ownerships
        ]
        if told == after:
            return
        text = "; ".join(
            f"{target} {pattern} from {', '.join(of)}" for target, pattern, _, of in after
        )
        self._plan.tell("~", f"registry {wanted.key[2]!r}: ownerships {text or 'none'}")
        self._plan.do(Phase.OWNERSHIPS, lambda: self._set_ownerships(wanted))

    def _set_ownerships(self, wanted: WantedRegistry) -> None:
        registry = self._found[wanted.key]
        group, format_name, _ = wanted.key
        body = [
            {
                "target_coordinate": each.target_coordinate,
                "pattern": each.pattern,
                "pattern_type": each.pattern_type,
                "upstream_ids": [
                    self._upstreams.found[group, format_name, name].id for name in each.upstreams
                ],
            }
            for each in wanted.ownerships
        ]
        path = f"{registry.root}/registries/{registry.id}/ownerships"
        self._client.put(path, {"ownerships": body})

    def _remove(self, thing: Thing) -> None:
        self._plan.tell("-", f"registry {thing.shown['name']!r} ({thing.format})")
        path = f"{thing.root}/registries/{thing.id}"
        self._plan.do(Phase.REMOVALS, lambda: self._client.delete(path))

    def _listed(self, registry: Thing) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.get(
            f"{registry.root}/registries/{registry.id}/upstreams"
        )
        return found
