"""What upstreams may answer for."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen


@frozen
class Rule:
    """Whether an upstream may answer for what has certain coordinates.

    Any matching ``deny`` denies. Where there are ``allow`` rules for a coordinate that a path has,
    one of them must match. Matching ignores case.
    """

    rule_type: Literal["allow", "deny"]
    target_coordinate: str
    pattern: str
    pattern_type: Literal["wildcard", "regex"] = "wildcard"
    """``wildcard``: the whole coordinate, ``*`` standing for any text. ``regex``: RE2, found
    anywhere in the coordinate."""
    id: int | None = field(default=None, metadata={"configured": False})
    """Of a rule that is stored."""


@frozen
class Ownership:
    """What a registry takes from certain of its upstreams alone: where the pattern matches, as in
    a Rule, the others are denied."""

    target_coordinate: str
    pattern: str
    upstreams: tuple[str, ...]
    """Names."""
    pattern_type: Literal["wildcard", "regex"] = "wildcard"
