from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import REGISTRY, UPSTREAM, read, refusals
from virtreg.model import Ownership, Rule

IMAGES = '[[registry]]\nname = "main"\nformat = "container"\nupstreams = ["central"]\n'


def rule(**keys: str) -> str:
    """A rule that is right but for what is given."""
    given = {"rule_type": "deny", "target_coordinate": "group_id", "pattern": "com.evil*", **keys}
    return "[[upstream.rules]]\n" + "".join(f"{key} = '{value}'\n" for key, value in given.items())


def ownership(upstreams: str = '["central"]', **keys: str) -> str:
    given = {"target_coordinate": "group_id", "pattern": "com.ours*", **keys}
    lines = "".join(f"{key} = '{value}'\n" for key, value in given.items())
    return f"[[registry.ownerships]]\n{lines}upstreams = {upstreams}\n"


def test_rules_ownerships_and_ages_reach_their_registry(tmp_path: Path) -> None:
    first = rule()
    second = rule(
        rule_type="allow", target_coordinate="version", pattern=r"^\d", pattern_type="regex"
    )
    age = "minimum_release_age_hours = 12\n"
    (registry,) = read(
        tmp_path, UPSTREAM + age + first + second + REGISTRY + ownership()
    ).registries
    (upstream,) = registry.upstreams
    assert upstream.rules == (
        Rule("deny", "group_id", "com.evil*"),
        Rule("allow", "version", r"^\d", "regex"),
    )
    assert upstream.minimum_release_age_hours == 12
    assert registry.ownerships == (Ownership("group_id", "com.ours*", ("central",)),)


def test_rules_make_no_new_cache_but_new_merges(tmp_path: Path) -> None:
    (plain,) = read(tmp_path, UPSTREAM + REGISTRY).registries
    (ruled,) = read(tmp_path, UPSTREAM + rule() + REGISTRY).registries
    (owning,) = read(tmp_path, UPSTREAM + REGISTRY + ownership()).registries
    assert plain.upstreams[0].key == ruled.upstreams[0].key
    assert len({plain.key, ruled.key, owning.key}) == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (rule(rule_type="block"), 'rules[1].rule_type: must be "allow" or "deny"'),
        (rule(pattern_type="glob"), 'rules[1].pattern_type: must be "wildcard" or "regex"'),
        (rule(pattern=""), "rules[1].pattern: must not be empty"),
        (rule(pattern="a" * 256), "rules[1].pattern: must be at most 255 characters, not 256"),
        (rule(pattern="com.**"), 'rules[1].pattern: must not have "**": "*" stands for any text'),
        (
            rule(pattern="(", pattern_type="regex"),
            "rules[1].pattern: is no regular expression that RE2 takes: missing ): (",
        ),
        (
            rule(target_coordinate="groupId"),
            'rules[1].target_coordinate: is no coordinate of maven; did you mean "group_id"?',
        ),
        (rule(target_coordinate="image"), "rules[1].target_coordinate: is no coordinate of maven"),
        (rule(id="7"), "rules[1].id: unknown key"),
        (rule() + rule(pattern="COM.evil*"), "rules[2]: is upstream[1].rules[1] again"),
        ("[upstream.rules]\n", "rules: must be a list of tables: write [[upstream.rules]]"),
        ("minimum_release_age_hours = -1\n", "minimum_release_age_hours: must be 0 or more"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_place(
    tmp_path: Path, text: str, line: str
) -> None:
    (told,) = refusals(tmp_path, UPSTREAM + text + REGISTRY)
    assert told.startswith(f"upstream[1].{line}")


def test_an_upstream_has_twenty_rules_at_most(tmp_path: Path) -> None:
    rules = [rule(pattern=f"com.evil{number}") for number in range(21)]
    read(tmp_path, UPSTREAM + "".join(rules[:20]) + REGISTRY)
    (told,) = refusals(tmp_path, UPSTREAM + "".join(rules) + REGISTRY)
    assert told == "upstream[1].rules: must be at most 20 rules, not 21"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ownership("[]"), "upstreams: must name at least one upstream"),
        (
            ownership('["centrl"]'),
            'upstreams[1]: "centrl" is not listed in registry[1].upstreams; did you mean',
        ),
        (ownership(pattern="a b"), "pattern: has the character ' ', which no group_id has"),
        (ownership(target_coordinate="tag"), "target_coordinate: is no coordinate of maven; known"),
        (ownership(rule_type="deny"), "rule_type: unknown key"),
    ],
)
def test_an_ownership_that_cannot_be_is_refused_by_its_place(
    tmp_path: Path, text: str, line: str
) -> None:
    (told,) = refusals(tmp_path, UPSTREAM + REGISTRY + text)
    assert told.startswith(f"registry[1].ownerships[1].{line}")


def test_images_have_coordinates_of_their_own_and_no_age(tmp_path: Path) -> None:
    upstream = '[[upstream]]\nname = "central"\nurl = "https://registry.example.org"\n'
    tag = rule(target_coordinate="tag", pattern="v*")
    read(tmp_path, upstream + tag + IMAGES)
    age, target = refusals(
        tmp_path, upstream + "minimum_release_age_hours = 1\n" + tag + rule() + IMAGES
    )[::-1]
    assert age == (
        "upstream[1].minimum_release_age_hours: "
        'is for upstreams of the format "maven" alone: others date no release'
    )
    assert target == (
        "upstream[1].rules[2].target_coordinate: is no coordinate of container; known: image, tag"
    )
