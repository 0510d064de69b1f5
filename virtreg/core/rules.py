"""Which upstreams of one registry may answer for which coordinates, compiled once.

Any ``deny`` rule that matches denies, and so does an ownership that names other upstreams. Where
there are ``allow`` rules for a coordinate, one of them must match. Rules for a coordinate that a
path does not have say nothing about it. Nothing depends on the order of rules.

A path may be read in several ways, when it cannot be told which one is meant: then no reading may
be denied by a ``deny`` or an ownership, or a rule could be got round; and one reading must be what
the ``allow`` rules let through, or a list of what is allowed would not be reached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from attrs import frozen

from virtreg.core.patterns import PatternType, check_pattern, union
from virtreg.model import Coordinates, Ownership, RegistrySpec, Rule


class Rulebook:
    """The rules and ownerships of one registry. Positions count from 0. Thread-safe."""

    def __init__(self, spec: RegistrySpec, targets: Collection[str]) -> None:
        """``targets`` are the coordinates there are. Raises ValueError naming the registry's part
        for a rule or ownership that cannot be applied."""
        for upstream in spec.upstreams:
            for rule in upstream.rules:
                check(rule, targets, f"upstream {upstream.name!r}: {told(rule)}")
        names = [upstream.name for upstream in spec.upstreams]
        for ownership in spec.ownerships:
            where = f"registry {spec.name!r}: {told_ownership(ownership)}"
            check(ownership, targets, where)
            for name in ownership.upstreams or ("",):
                if name not in names:
                    raise ValueError(f"{where}: upstreams names {name!r}, which is none of its own")
        self._positions = tuple(
            _Position(upstream.rules, _others(spec.ownerships, upstream.name))
            for upstream in spec.upstreams
        )

    def denial(self, position: int, readings: Sequence[Coordinates]) -> str | None:
        """Why the upstream may not answer for a path with these readings, in one line that names
        the rule; None when it may. Without a reading no rule applies."""
        return self._positions[position].denial(readings)

    def allows(self, position: int, coordinates: Coordinates) -> bool:
        return self._positions[position].allows(coordinates)


def check(subject: Rule | Ownership, targets: Collection[str], where: str) -> None:
    """Raises ValueError, beginning with ``where``, for what can match nothing there is."""
    if subject.target_coordinate not in targets:
        known = ", ".join(sorted(targets)) or "none"
        raise ValueError(f"{where}: target_coordinate must be one of: {known}")
    try:
        check_pattern(subject.pattern, subject.pattern_type, subject.target_coordinate)
    except ValueError as error:
        raise ValueError(f"{where}: pattern {error}") from None


def told(rule: Rule) -> str:
    """Such as ``rule 7: deny group_id wildcard com.evil*``."""
    number = "" if rule.id is None else f" {rule.id}"
    return f"rule{number}: {rule.rule_type} {_pattern(rule)}"


def told_ownership(ownership: Ownership) -> str:
    """Such as ``ownership: group_id wildcard com.ours* of releases``."""
    return f"ownership: {_pattern(ownership)} of {', '.join(ownership.upstreams)}"


def _pattern(subject: Rule | Ownership) -> str:
    return f"{subject.target_coordinate} {subject.pattern_type} {subject.pattern}"


def _others(ownerships: Iterable[Ownership], upstream: str) -> list[Ownership]:
    return [ownership for ownership in ownerships if upstream not in ownership.upstreams]


@frozen
class _Clause:
    target: str
    pattern: tuple[str, PatternType]
    text: str

    def matches(self, coordinates: Coordinates) -> bool:
        return self.target in coordinates and bool(
            union([self.pattern]).search(coordinates[self.target])
        )


class _Position:
    """What one upstream may answer for."""

    def __init__(self, rules: Iterable[Rule], ownerships: Iterable[Ownership]) -> None:
        self._denying = [_clause(rule, told(rule)) for rule in rules if rule.rule_type == "deny"]
        self._denying += [_clause(each, told_ownership(each)) for each in ownerships]
        self._allowing = [_clause(rule, told(rule)) for rule in rules if rule.rule_type == "allow"]
        self._deny = _by_target(self._denying)
        self._allow = _by_target(self._allowing)

    def denial(self, readings: Sequence[Coordinates]) -> str | None:
        for coordinates in readings:
            if _any(self._deny, coordinates):
                clause = next(each for each in self._denying if each.matches(coordinates))
                return f"denied by {clause.text}"
        unmet = [self._unmet(coordinates) for coordinates in readings]
        if not unmet or not all(unmet):
            return None
        target = next(filter(None, unmet))
        texts = sorted(each.text for each in self._allowing if each.target == target)
        return f"not allowed by {'; nor by '.join(texts)}"

    def allows(self, coordinates: Coordinates) -> bool:
        return not _any(self._deny, coordinates) and self._unmet(coordinates) is None

    def _unmet(self, coordinates: Coordinates) -> str | None:
        """The coordinate that no ``allow`` rule for it matches."""
        return next(
            (
                target
                for target, expression in self._allow.items()
                if target in coordinates and not expression.search(coordinates[target])
            ),
            None,
        )


def _clause(subject: Rule | Ownership, text: str) -> _Clause:
    return _Clause(subject.target_coordinate, (subject.pattern, subject.pattern_type), text)


def _by_target(clauses: Iterable[_Clause]) -> dict[str, Any]:
    """One expression for each coordinate: a long list is sifted in one search for each item."""
    patterns: defaultdict[str, list[tuple[str, PatternType]]] = defaultdict(list)
    for clause in clauses:
        patterns[clause.target].append(clause.pattern)
    return {target: union(each) for target, each in patterns.items()}


def _any(expressions: dict[str, Any], coordinates: Coordinates) -> bool:
    return any(
        expression.search(coordinates[target])
        for target, expression in expressions.items()
        if target in coordinates
    )
