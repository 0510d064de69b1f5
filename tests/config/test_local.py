"""Upstreams on the server itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import REGISTRY, UPSTREAM, read, refusals

INNER = UPSTREAM + REGISTRY.replace('"main"', '"inner"')
OUTER = '[[registry]]\nname = "outer"\nformat = "maven"\nupstreams = ["near"]\n'


def near(*lines: str) -> str:
    """A local upstream called near."""
    return "\n".join(['[[upstream]]\nname = "near"', *lines, ""])


def test_a_registry_may_be_an_upstream_of_another(tmp_path: Path) -> None:
    config = read(tmp_path, INNER + near('registry = "inner"', 'on_error = "continue"') + OUTER)
    (upstream,) = config.registries[1].upstreams
    assert (upstream.registry, upstream.local, upstream.on_error) == ("inner", True, "continue")


def test_so_may_a_folder_beside_the_file(tmp_path: Path) -> None:
    config = read(tmp_path, near('folder = "repository"') + OUTER)
    (upstream,) = config.registries[0].upstreams
    assert (upstream.folder, upstream.local) == (str(tmp_path / "repository"), True)


def test_registries_of_two_groups_may_list_the_same_one(tmp_path: Path) -> None:
    second = OUTER.replace('"outer"', '"second"') + 'group = "other"\n'
    config = read(tmp_path, INNER + near('registry = "inner"') + OUTER + second)
    assert config.registries[1].upstreams == config.registries[2].upstreams


def test_an_upstream_is_in_one_place(tmp_path: Path) -> None:
    reason = "cannot stand beside `url`; an upstream has one of them"
    assert refusals(tmp_path, near('url = "https://x.example"', 'registry = "inner"') + OUTER) == [
        f"upstream[1].registry: {reason}"
    ]
    (missing,) = refusals(tmp_path, near() + OUTER)
    assert missing.startswith("upstream[1].url: is missing")


@pytest.mark.parametrize(
    "line",
    [
        'username = "u"\npassword = "env:X"',
        'proxy = "http://proxy.example:3128"',
        'allow_private = ["10.0.0.0/8"]',
        "cache_validity_hours = 5",
        "negative_validity_seconds = 5",
        'on_missing = "drop"',
    ],
)
def test_keys_of_the_network_and_of_caches_mean_nothing_there(tmp_path: Path, line: str) -> None:
    found = refusals(tmp_path, INNER + near('registry = "inner"', line) + OUTER, {"X": "x"})
    key = line.partition(" ")[0]
    assert f"upstream[2].{key}: is for upstreams with a `url` alone, not beside `registry`" in found


def test_the_registry_must_be_there_and_of_the_same_format(tmp_path: Path) -> None:
    assert refusals(tmp_path, INNER + near('registry = "iner"') + OUTER) == [
        'upstream[2].registry: there is no registry "iner"; did you mean "inner"?'
    ]
    images = OUTER.replace("maven", "container")
    assert refusals(tmp_path, INNER + near('registry = "inner"') + images) == [
        'upstream[2].registry: registry "inner" is for maven, and this is listed for container'
    ]


def test_folders_are_for_maven(tmp_path: Path) -> None:
    images = OUTER.replace("maven", "container")
    assert refusals(tmp_path, near('folder = "layout"') + images) == [
        'upstream[1].folder: is for the format "maven" alone, not for container'
    ]


def test_registries_are_never_upstreams_of_each_other(tmp_path: Path) -> None:
    text = ""
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        text += f'[[upstream]]\nname = "to-{other}"\nregistry = "{other}"\n'
        text += f'[[registry]]\nname = "{name}"\nformat = "maven"\nupstreams = ["to-{other}"]\n'
    assert refusals(tmp_path, text) == [
        "registry[1].upstreams: registries are upstreams of each other in a ring: a -> b -> c -> a"
    ]


def test_nor_too_deep(tmp_path: Path) -> None:
    text = INNER.replace('"inner"', '"r6"')
    for number in range(6):
        text += f'[[upstream]]\nname = "u{number}"\nregistry = "r{number + 1}"\n'
        text += f'[[registry]]\nname = "r{number}"\nformat = "maven"\nupstreams = ["u{number}"]\n'
    (found,) = refusals(tmp_path, text)
    assert found.endswith("more than 5 deep: r0 -> r1 -> r2 -> r3 -> r4 -> r5 -> r6")
