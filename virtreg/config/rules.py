"""What configuration files say of rules, ownerships and the age of releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve
from cattrs import Converter

from virtreg.config import fields
from virtreg.config.strict import listed, nearest, table
from virtreg.core.patterns import check_pattern
from virtreg.formats import named
from virtreg.managed import MOST_RULES
from virtreg.model import Ownership, Rule, UpstreamSpec
from virtreg.protocols import Situates

RELEASES = "maven"
"""The format whose upstreams date releases."""


def register(strict: Converter) -> None:
    """Teach a converter the tables ``[[upstream.rules]]`` and ``[[registry.ownerships]]``."""
    strict.register_structure_hook(Rule, table(strict, Rule, {}, _pattern))
    owners = {"upstreams": _owners}
    strict.register_structure_hook(Ownership, table(strict, Ownership, owners, _pattern))


def _pattern(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a pattern; whether its coordinate is one is known with the format."""
    pattern, target = content.get("pattern"), content.get("target_coordinate")
    pattern_type = content.get("pattern_type", "wildcard")
    if not (isinstance(pattern, str) and isinstance(target, str)):
        return
    if pattern_type in ("wildcard", "regex"):
        try:
            check_pattern(pattern, pattern_type, target)
        except ValueError as error:
            yield "pattern", str(error)


def _owners(value: object, _: object) -> tuple[str, ...]:
    names = listed(fields.name)(value, None)
    if not names:
        raise ValueError("must name at least one upstream")
    return tuple(names)


def of_upstream(upstream: UpstreamSpec, format_name: str, key: str) -> Iterator[tuple[str, str]]:
    """``(key, reason)`` of all that an upstream of this format cannot have."""
    if len(upstream.rules) > MOST_RULES:
        yield f"{key}.rules", f"must be at most {MOST_RULES} rules, not {len(upstream.rules)}"
    yield from _targets(upstream.rules, format_name, f"{key}.rules")
    seen: dict[Rule, int] = {}
    for place, rule in enumerate(upstream.rules, 1):
        first = seen.setdefault(evolve(rule, pattern=rule.pattern.lower()), place)
        if first != place:
            yield f"{key}.rules[{place}]", f"is {key}.rules[{first}] again"
    if upstream.minimum_release_age_hours and format_name != RELEASES:
        reason = f'is for upstreams of the format "{RELEASES}" alone: others date no release'
        yield f"{key}.minimum_release_age_hours", reason


def of_registry(
    ownerships: Sequence[Ownership], format_name: str, upstreams: Sequence[str], key: str
) -> Iterator[tuple[str, str]]:
    """``(key, reason)`` of all that a registry with these upstreams cannot have."""
    yield from _targets(ownerships, format_name, f"{key}.ownerships")
    for place, ownership in enumerate(ownerships, 1):
        for position, name in enumerate(ownership.upstreams, 1):
            if name not in upstreams:
                reason = f'"{name}" is not listed in {key}.upstreams; {nearest(name, upstreams)}'
                yield f"{key}.ownerships[{place}].upstreams[{position}]", reason


def _targets(
    subjects: Sequence[Rule | Ownership], format_name: str, key: str
) -> Iterator[tuple[str, str]]:
    adapter = named(format_name)
    targets = sorted(adapter.targets) if isinstance(adapter, Situates) else []
    for place, subject in enumerate(subjects, 1):
        if subject.target_coordinate not in targets:
            yield (
                f"{key}[{place}].target_coordinate",
                f"is no coordinate of {format_name}; {nearest(subject.target_coordinate, targets)}",
            )
