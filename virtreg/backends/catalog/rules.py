"""Changes of the rules of upstreams. They may be added to declared upstreams as well: what is to be
kept out at once does not wait for a restart."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve
from sqlalchemy import delete, insert

from virtreg.backends.catalog.changing import Change
from virtreg.backends.catalog.rows import rule_row
from virtreg.backends.catalog.schema import rules, upstreams
from virtreg.core.patterns import check_pattern
from virtreg.errors import Invalid, NotFound
from virtreg.managed import ManagedUpstream
from virtreg.model import Ownership, Rule


def add(change: Change, upstream_id: int, rule: Rule) -> int:
    """The id. Raises NotFound and Invalid."""
    change.need_upstream(upstream_id)
    before = change.before.upstreams[upstream_id].spec.rules
    need_pattern(rule)
    if len(before) >= change.limits.rules:
        raise Invalid(
            {"upstream": [f"{change.limits.rules} rules is the maximum allowed per upstream."]}
        )
    if evolve(rule, id=None) in (evolve(each, id=None) for each in before):
        raise Invalid({"pattern": ["has already been taken"]})
    number: int = change.connection.execute(
        insert(rules).values(rule_row(upstream_id, rule)).returning(rules.c.id)
    ).scalar_one()
    change.touch(upstreams, upstream_id)
    return number


def need_pattern(subject: Rule | Ownership) -> None:
    """Raises Invalid for what would keep its registry from being served."""
    try:
        check_pattern(subject.pattern, subject.pattern_type, subject.target_coordinate)
    except ValueError as error:
        raise Invalid({"pattern": [str(error)]}) from None


def remove(change: Change, number: int) -> None:
    """Raises NotFound."""
    found = find(change.before.upstreams.values(), number)
    if found is None:
        raise NotFound(f"there is no rule {number}")
    change.connection.execute(delete(rules).where(rules.c.id == number))
    change.touch(upstreams, found[0].id)


def find(among: Iterable[ManagedUpstream], number: int) -> tuple[ManagedUpstream, Rule] | None:
    """One that is stored."""
    of_id = (
        (upstream, rule) for upstream in among for rule in upstream.spec.rules if rule.id == number
    )
    return next(of_id, None)
