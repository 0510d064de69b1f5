"""What decides by a stranger's names: patterns, rules, coordinates, and documents without what is
denied."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Final

from virtreg.core.patterns import PatternType, check_pattern, union
from virtreg.core.rules import Rulebook
from virtreg.errors import IntegrityError, InvalidRequest, NotFound
from virtreg.formats.container import tags
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.formats.maven.metadata import read
from virtreg.formats.maven.paths import PREFIXES
from virtreg.model import Algorithm, Coordinates, Ownership, RegistrySpec, Rule, UpstreamSpec

_CONTAINER: Final = ContainerFormat()
_MAVEN: Final = MavenFormat()
_HUB: Final = UpstreamSpec("hub", "https://registry-1.docker.io")
_LISTS: Final = "org/a/maven-metadata.xml"
_NEVER: Final = "\x01"
"""In no coordinate."""


def _lines(noise: bytes) -> list[str]:
    return noise.decode("utf-8", "replace").split("\n")


def _is_pattern(pattern: str, pattern_type: PatternType, target: str) -> bool:
    try:
        check_pattern(pattern, pattern_type, target)
    except ValueError:
        return False
    return True


def naive(pattern: str, text: str) -> bool:
    """Whether the whole text is what the wildcard stands for, by every prefix of both."""
    before = [True, *(False for _ in text)]
    for letter in pattern.lower():
        now = [letter == "*" and before[0]]
        for at, other in enumerate(text.lower()):
            now.append(
                before[at + 1] or now[at] if letter == "*" else before[at] and letter == other
            )
        before = now
    return before[-1]


def wildcard(noise: bytes) -> None:
    pattern, *texts = _lines(noise)
    if not _is_pattern(pattern, "wildcard", "group_id"):
        return
    expression = union([(pattern, "wildcard")])
    for text in texts:
        found = bool(expression.search(text))
        # Of other letters some are the same to RE2 but for their case, such as the Kelvin sign.
        if text.isascii():
            assert found == naive(pattern, text)


def regex(noise: bytes) -> None:
    pattern, *texts = _lines(noise)
    if not _is_pattern(pattern, "regex", "group_id"):
        return
    # As many as an upstream may have.
    alone, all_alike = union([(pattern, "regex")]), union([(pattern, "regex")] * 20)
    beside = union([(_NEVER, "regex"), (pattern, "regex"), (_NEVER, "wildcard")])
    for text in texts:
        found = bool(alone.search(text))
        assert bool(all_alike.search(text)) == found
        if _NEVER not in text:
            assert bool(beside.search(text)) == found


def rules(noise: bytes) -> None:
    """Lines of a rule each, the last of which are coordinates: those of the group, the artifact and
    the version."""
    *written, group, artifact, version = ["", "", "", *_lines(noise)]
    found = {"group_id": group, "artifact_id": artifact, "version": version}
    listed = [each for line in written[:40] if (each := _rule(line)) is not None]
    owned = [Ownership(each.target_coordinate, each.pattern, ("b",)) for each in listed[::3]]
    one, other = UpstreamSpec("a", "https://a.example", rules=tuple(listed)), _HUB
    spec = RegistrySpec(1, "main", "maven", (one, other), ownerships=())
    book = Rulebook(spec, _MAVEN.targets)
    assert book.denial(1, [found]) is None
    reason = book.denial(0, [found])
    assert (reason is None) == book.allows(0, found)
    assert reason is None or reason.isprintable()
    if all(text.isascii() for text in found.values()):
        assert (reason is None) == _may(listed, found)
    assert owned == [] or _owned(owned, found)


def _rule(line: str) -> Rule | None:
    """Such as ``-g com.evil*``, where ``-`` denies and ``+`` allows."""
    kind, _, pattern = line.partition(" ")
    targets: dict[str, str] = {"g": "group_id", "a": "artifact_id", "v": "version"}
    target = targets.get(kind[1:])
    if kind[:1] not in ("+", "-") or target is None or not _is_pattern(pattern, "wildcard", target):
        return None
    return Rule("allow" if kind[0] == "+" else "deny", target, pattern)


def _may(listed: list[Rule], found: Coordinates) -> bool:
    """As it is documented: a denial that matches denies, and of the coordinate's allowances one
    must match."""
    matching = [rule for rule in listed if naive(rule.pattern, found[rule.target_coordinate])]
    if any(rule.rule_type == "deny" for rule in matching):
        return False
    wanted = {rule.target_coordinate for rule in listed if rule.rule_type == "allow"}
    return wanted <= {rule.target_coordinate for rule in matching}


def _owned(owned: list[Ownership], found: Coordinates) -> bool:
    """Whether what others own is denied, and nothing is to its owner."""
    one, other = UpstreamSpec("a", "https://a.example"), UpstreamSpec("b", "https://b.example")
    book = Rulebook(
        RegistrySpec(1, "main", "maven", (one, other), ownerships=tuple(owned)), _MAVEN.targets
    )
    if not all(text.isascii() for text in found.values()):
        return book.allows(1, found)
    theirs = any(naive(each.pattern, found[each.target_coordinate]) for each in owned)
    return book.allows(1, found) and book.allows(0, found) != theirs


def maven_coordinates(noise: bytes) -> None:
    path = noise.decode("utf-8", "replace")
    with suppress(InvalidRequest, NotFound):
        route = _MAVEN.route(path)
        found = _MAVEN.coordinates(route)
        for each in found:
            assert each.keys() <= _MAVEN.targets
            assert all(each.values())
            assert not any("/" in text for text in each.values())
        assert bool(found) == ("/" in route.path and route.path != PREFIXES)
        # No rule is got round by way of a checksum or a signature.
        for suffix in (*(f".{algorithm}" for algorithm in Algorithm), ".asc"):
            if route.checksum is None and route.path != PREFIXES:
                with suppress(InvalidRequest, NotFound):
                    assert _MAVEN.coordinates(_MAVEN.route(route.path + suffix)) == found


def container_coordinates(noise: bytes) -> None:
    with suppress(InvalidRequest, NotFound):
        route = _CONTAINER.route(noise.decode("utf-8", "replace"))
        plain, of_hub = _CONTAINER.coordinates(route), _CONTAINER.coordinates(route, _HUB)
        assert set(map(_facts, plain)) <= set(map(_facts, of_hub))
        assert bool(plain) != route.listing
        for each in of_hub:
            assert each.keys() <= _CONTAINER.targets
            assert ("tag" in each) == route.moving
        # However it is spelled, the names at the upstream are the same.
        if not route.listing:
            there = _CONTAINER.coordinates(_CONTAINER.localize(route, _HUB), _HUB)
            assert set(map(_facts, of_hub)) <= set(map(_facts, there))


def _facts(found: Coordinates) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(found.items()))


@cache
def _book(format_name: str, target: str, patterns: tuple[str, ...]) -> Rulebook:
    denials = tuple(Rule("deny", target, pattern) for pattern in patterns)
    upstream = UpstreamSpec("a", "https://a.example", rules=denials)
    targets = _MAVEN.targets if format_name == "maven" else _CONTAINER.targets
    return Rulebook(RegistrySpec(1, "main", format_name, (upstream,)), targets)


def maven_sift(noise: bytes) -> None:
    """A line of patterns for versions, and a document."""
    head, _, document = noise.partition(b"\n")
    wanted = head.decode("utf-8", "replace").split()[:5]
    patterns = tuple(each for each in wanted if _is_pattern(each, "wildcard", "version"))
    book = _book("maven", "version", patterns)
    route = _MAVEN.route(_LISTS)
    left = _MAVEN.sift(route, document, lambda found: book.allows(0, found))
    if left is None:
        return
    try:
        told = read(left)
    except IntegrityError:
        assert left == document
        return
    named = (told.version, told.latest, told.release, *told.versions)
    for version in (*named, *(each.value for each in told.snapshot_versions)):
        assert version is None or book.allows(0, {"version": version})
    before = read(document)
    # Whatever may be had is still listed.
    kept = [each for each in before.versions if book.allows(0, {"version": each})]
    assert sorted(told.versions) == sorted(kept)
    assert _MAVEN.sift(route, left, lambda found: book.allows(0, found)) == left


def container_sift(noise: bytes) -> None:
    """A line of patterns for tags, and a document."""
    head, _, document = noise.partition(b"\n")
    wanted = head.decode("utf-8", "replace").split()[:5]
    patterns = tuple(each for each in wanted if _is_pattern(each, "wildcard", "tag"))
    book = _book("container", "tag", patterns)
    route = _CONTAINER.route("a/tags/list")
    left = _CONTAINER.sift(route, document, lambda found: book.allows(0, found))
    if left is None:
        return
    try:
        told = tags.parse(left)
    except IntegrityError:
        assert left == document
        return
    assert set(told) == {tag for tag in tags.parse(document) if book.allows(0, {"tag": tag})}
