from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.rules import Rulebook
from virtreg.model import Coordinates, Ownership, RegistrySpec, Rule, UpstreamSpec

TARGETS = frozenset({"group_id", "artifact_id", "version"})
LIB = {"group_id": "com.acme", "artifact_id": "lib", "version": "1.0"}


def book(*rules: Rule, ownerships: Sequence[Ownership] = ()) -> Rulebook:
    """Of the upstreams ``ruled``, with these rules, and ``other``, without any."""
    ruled = UpstreamSpec("ruled", "https://a.example", rules=rules)
    other = UpstreamSpec("other", "https://b.example")
    spec = RegistrySpec(1, "main", "maven", (ruled, other), ownerships=tuple(ownerships))
    return Rulebook(spec, TARGETS)


def deny(target: str, pattern: str, number: int | None = None) -> Rule:
    return Rule("deny", target, pattern, id=number)


def allow(target: str, pattern: str, number: int | None = None) -> Rule:
    return Rule("allow", target, pattern, id=number)


def denied(rulebook: Rulebook, coordinates: Coordinates, position: int = 0) -> str | None:
    return rulebook.denial(position, [coordinates])


def test_a_deny_that_matches_denies_and_names_itself() -> None:
    rulebook = book(deny("group_id", "COM.a*", 7))
    assert denied(rulebook, LIB) == "denied by rule 7: deny group_id wildcard COM.a*"
    assert denied(rulebook, {**LIB, "group_id": "org.acme"}) is None
    assert denied(rulebook, LIB, position=1) is None


def test_a_deny_beats_an_allow() -> None:
    rulebook = book(allow("group_id", "com.*"), deny("group_id", "com.acme"))
    assert denied(rulebook, LIB) == "denied by rule: deny group_id wildcard com.acme"
    assert denied(rulebook, {**LIB, "group_id": "com.other"}) is None


def test_what_matches_no_allow_for_its_coordinate_is_denied() -> None:
    rulebook = book(allow("group_id", "org.a", 2), allow("group_id", "org.b", 1))
    assert denied(rulebook, LIB) == (
        "not allowed by rule 1: allow group_id wildcard org.b; "
        "nor by rule 2: allow group_id wildcard org.a"
    )
    assert denied(rulebook, {**LIB, "group_id": "org.b"}) is None


def test_a_denial_of_any_coordinate_is_enough() -> None:
    rulebook = book(allow("group_id", "com.acme"), allow("version", "2.*"))
    assert denied(rulebook, LIB) == "not allowed by rule: allow version wildcard 2.*"


def test_a_rule_for_a_coordinate_that_is_not_there_says_nothing() -> None:
    rulebook = book(allow("version", "2.*"), deny("artifact_id", "*"))
    assert denied(rulebook, {"group_id": "com.acme"}) is None
    assert rulebook.denial(0, []) is None


def test_of_several_readings_none_may_be_denied_and_one_must_be_allowed() -> None:
    readings = ({"group_id": "com", "artifact_id": "acme"}, {"group_id": "com.acme"})
    assert book(deny("group_id", "com")).denial(0, readings)
    assert book(deny("group_id", "com.acme")).denial(0, readings)
    assert book(allow("group_id", "com")).denial(0, readings) is None
    assert book(allow("group_id", "com.acme")).denial(0, readings) is None
    assert book(allow("group_id", "org")).denial(0, readings)


def test_what_is_owned_comes_from_its_owners_alone() -> None:
    rulebook = book(ownerships=[Ownership("group_id", "com.acme", ("ruled",))])
    assert denied(rulebook, LIB) is None
    reason = "denied by ownership: group_id wildcard com.acme of ruled"
    assert denied(rulebook, LIB, position=1) == reason
    assert denied(rulebook, {"group_id": "com.acmes"}, position=1) is None


def test_an_upstream_must_be_named_by_every_ownership_that_matches() -> None:
    both = [
        Ownership("group_id", "com.*", ("ruled", "other")),
        Ownership("version", "*", ("other",)),
    ]
    rulebook = book(ownerships=both)
    assert denied(rulebook, LIB) == "denied by ownership: version wildcard * of other"
    assert denied(rulebook, LIB, position=1) is None


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (
            deny("image", "x", 3),
            (
                "upstream 'ruled': rule 3: deny image wildcard x: target_coordinate must be one "
                "of: artifact_id, group_id, version"
            ),
        ),
        (
            Rule("deny", "version", "(", "regex"),
            (
                "upstream 'ruled': rule: deny version regex (: pattern is no regular expression "
                "that RE2 takes: missing ): ("
            ),
        ),
    ],
)
def test_a_rule_that_cannot_be_applied_is_refused_by_name(rule: Rule, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        book(rule)
    assert str(caught.value) == reason


@pytest.mark.parametrize("owners", [("elsewhere",), ()])
def test_an_owner_is_an_upstream_of_the_registry(owners: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"registry 'main': ownership: .* none of its own"):
        book(ownerships=[Ownership("group_id", "com.acme", owners)])


texts = st.text("ab", min_size=1, max_size=3)
rules = st.builds(
    Rule,
    st.sampled_from(["allow", "deny"]),
    st.sampled_from(sorted(TARGETS)),
    st.one_of(texts, texts.map(lambda text: f"{text}*")),
)
coordinates = st.dictionaries(st.sampled_from(sorted(TARGETS)), texts)


def plainly(rules: Sequence[Rule], about: Coordinates) -> bool:
    """Whether rules let it through, by the words of their contract."""

    def match(rule: Rule) -> bool:
        text = about[rule.target_coordinate]
        if rule.pattern.endswith("*"):
            return text.startswith(rule.pattern[:-1])
        return text == rule.pattern

    of = {target: [rule for rule in rules if rule.target_coordinate == target] for target in about}
    if any(rule.rule_type == "deny" and match(rule) for each in of.values() for rule in each):
        return False
    allowing = {
        target: [rule for rule in each if rule.rule_type == "allow"] for target, each in of.items()
    }
    return all(any(map(match, each)) for each in allowing.values() if each)


@given(st.lists(rules, max_size=6), coordinates)
def test_rules_decide_as_their_contract_says(some: list[Rule], about: Coordinates) -> None:
    rulebook = book(*some)
    assert rulebook.allows(0, about) == plainly(some, about)
    assert (rulebook.denial(0, [about]) is None) == plainly(some, about)


@given(st.data(), st.lists(rules, max_size=6), st.lists(coordinates, max_size=3))
def test_the_order_of_rules_does_not_matter(
    data: st.DataObject, some: list[Rule], readings: list[Coordinates]
) -> None:
    shuffled = data.draw(st.permutations(some))
    first, second = (book(*each).denial(0, readings) for each in (some, shuffled))
    assert (first is None) == (second is None)


@given(st.lists(rules, max_size=6), coordinates)
def test_an_ownership_denies_the_others_as_a_rule_would(
    some: list[Rule], about: Coordinates
) -> None:
    owned = [Ownership(rule.target_coordinate, rule.pattern, ("ruled",)) for rule in some]
    denying = [evolve(rule, rule_type="deny") for rule in some]
    rulebook = book(*denying, ownerships=owned)
    assert rulebook.allows(0, about) == rulebook.allows(1, about)
