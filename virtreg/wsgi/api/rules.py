"""What an upstream may answer for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from attrs import field, frozen
from msgspec import Meta, Struct

from virtreg.core.patterns import check_pattern
from virtreg.errors import Invalid, NotFound
from virtreg.model import Principal, Rule
from virtreg.wsgi.api.endpoint import NOTHING, Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.hiding import Hiding
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sharing import allow_change

Pattern = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="A wildcard is for the whole coordinate, `*` for any text in it; a regex "
        "(RE2) is found anywhere. Both ignore case.",
    ),
]
PatternType = Literal["wildcard", "regex"]
MavenTarget = Literal["group_id", "artifact_id", "version"]
ContainerTarget = Literal["image", "tag"]


class RuleNew(Struct, kw_only=True):
    rule_type: Literal["allow", "deny"]
    pattern: Pattern
    pattern_type: PatternType = "wildcard"


class MavenRuleNew(RuleNew, kw_only=True):
    target_coordinate: MavenTarget


class ContainerRuleNew(RuleNew, kw_only=True):
    target_coordinate: ContainerTarget


class RuleTrial(Struct, kw_only=True):
    dry_run: Annotated[
        bool, Meta(description="Say what the rule would hide, without creating it.")
    ] = False


class UpstreamRule(Struct, kw_only=True):
    id: Annotated[int | None, Meta(description="Null: it is in the server's configuration file.")]
    upstream_id: int
    rule_type: Literal["allow", "deny"]
    target_coordinate: str
    pattern: str
    pattern_type: PatternType


class WouldHide(Struct, kw_only=True):
    """What a rule that does not exist would hide of what is cached."""

    count: Annotated[int, Meta(description="10001: more than ten thousand.")]
    paths: Annotated[list[str], Meta(description="The first hundred, in order.")]
    complete: Annotated[
        bool, Meta(description="False: there are more cached files than were looked at.")
    ]


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Rules(parts, flavour).offer()]


@frozen(eq=False)
class _Rules:
    """Of one format."""

    parts: Parts
    flavour: Flavour
    _kind: type[MavenRuleNew | ContainerRuleNew] = field(init=False)

    @_kind.default
    def _choose_kind(self) -> type[MavenRuleNew | ContainerRuleNew]:
        return MavenRuleNew if self.flavour.metadata else ContainerRuleNew

    def offer(self) -> Iterator[Endpoint]:
        of_upstream = f"{self.flavour.root}/upstreams/{{id}}/rules"
        title = f"{self.flavour.title} upstream"
        yield Endpoint(
            "GET",
            of_upstream,
            f"List the rules of a {title}",
            self.list,
            gives=list[UpstreamRule],
            documented=False,
        )
        yield Endpoint(
            "POST",
            of_upstream,
            f"Create a rule of a {title}, or try one out",
            self.create,
            query=RuleTrial,
            body=self._kind,
            gives=UpstreamRule,
            status=201,
            instead=WouldHide,
            action="configure",
            documented=False,
        )
        yield Endpoint(
            "DELETE",
            f"{self.flavour.root}/upstream_rules/{{id}}",
            f"Delete a rule of a {title}",
            self.remove,
            status=204,
            action="configure",
            documented=False,
        )

    def list(self, call: Call) -> Answer:
        upstream, _ = call.allow("read", self.parts.upstream_of(call, self.flavour))
        return Answer([_shown(upstream.id, rule) for rule in upstream.spec.rules])

    def create(self, call: Call) -> Answer:
        upstream, who = allow_change(self.parts, call, self.parts.upstream_of(call, self.flavour))
        sent = call.sent(self._kind)
        checked_pattern(sent.pattern, sent.pattern_type, sent.target_coordinate)
        rule = Rule(sent.rule_type, sent.target_coordinate, sent.pattern, sent.pattern_type)
        if call.asked(RuleTrial).dry_run:
            hidden = Hiding(self.parts.index, upstream).by(rule)
            return Answer(
                WouldHide(count=hidden.count, paths=hidden.paths, complete=hidden.complete)
            )
        made = self.parts.catalog.add_rule(upstream.id, rule)
        self._tell(call, who, made, f"added to upstream {upstream.id}")
        return Answer(_shown(upstream.id, made), status=201)

    def remove(self, call: Call) -> Answer:
        upstream, rule = self.parts.catalog.rule(call.id()) or (None, None)
        upstream, who = allow_change(self.parts, call, self.flavour.own_upstream(upstream))
        if rule is None:
            raise NotFound("there is no such rule")
        self.parts.catalog.remove_rule(call.id())
        self._tell(call, who, rule, f"removed from upstream {upstream.id}")
        return NOTHING

    def _tell(self, call: Call, who: Principal, rule: Rule, change: str) -> None:
        text = f"{rule.rule_type} {rule.target_coordinate} {rule.pattern_type} {rule.pattern}"
        self.parts.tell(call, who, "rule", str(rule.id), f"{change}: {text}")


def checked_pattern(
    pattern: str, pattern_type: PatternType, target: str, name: str = "pattern"
) -> None:
    """Raises Invalid, by the name of the field."""
    try:
        check_pattern(pattern, pattern_type, target)
    except ValueError as error:
        raise Invalid({name: [str(error)]}) from None


def _shown(upstream_id: int, rule: Rule) -> UpstreamRule:
    return UpstreamRule(
        id=rule.id,
        upstream_id=upstream_id,
        rule_type=rule.rule_type,
        target_coordinate=rule.target_coordinate,
        pattern=rule.pattern,
        pattern_type=rule.pattern_type,
    )
