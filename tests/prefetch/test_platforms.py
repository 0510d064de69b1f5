from __future__ import annotations

import pytest

from virtreg.prefetch import ALL, own_platform, parse_platforms


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("linux/amd64", "windows/amd64", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm", "linux/arm/v6", False),
        ("linux/arm/v6", "linux/arm/v6", True),
        ("linux/amd64", "linux/amd64/v3", False),
        ("linux/amd64", "unknown/unknown", False),
    ],
)
def test_a_platform_is_chosen_in_any_spelling(wanted: str, offered: str, chosen: bool) -> None:
    assert parse_platforms([wanted]).chosen(offered) is chosen


def test_all_is_everything() -> None:
    assert parse_platforms(["linux/amd64", "all"]) == ALL
    assert ALL.chosen("unknown/unknown")
    assert ALL.missing(["linux/amd64"]) == []


def test_what_was_not_offered_is_missing() -> None:
    platforms = parse_platforms(["linux/arm64", "linux/amd64", "linux/arm/v7"])
    assert platforms.missing(["linux/amd64", "linux/arm"]) == ["linux/arm64"]


@pytest.mark.parametrize("text", ["linux", "amd64/", "linux/ARM64", "linux/arm/v7/x", ""])
def test_what_is_no_platform_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text!r} is no platform"):
        parse_platforms(["linux/amd64", text])


@pytest.mark.parametrize(
    ("machine", "platform"),
    [
        ("x86_64", "linux/amd64"),
        ("AMD64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("armv7l", "linux/arm/v7"),
        ("riscv64", "linux/riscv64"),
    ],
)
def test_a_machine_has_a_platform(machine: str, platform: str) -> None:
    assert own_platform(machine) == platform
