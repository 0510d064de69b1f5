"""An upstream is of one group, unless it says that it is for several."""

from __future__ import annotations

from pathlib import Path

from tests.config.writing import UPSTREAM, read, refusals

TWO_GROUPS = """
[[registry]]
name = "builds"
format = "maven"
upstreams = ["central"]
group = "builds"
[[registry]]
name = "research"
format = "maven"
upstreams = ["central"]
group = "research"
"""


def test_an_upstream_of_two_groups_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (refusal,) = refusals(tmp_path, UPSTREAM + TWO_GROUPS)
    assert refusal.startswith('registry[2].upstreams[1]: "central": registry[1] lists it for group')
    assert "shared = true" in refusal


def test_one_that_is_shared_is_not(tmp_path: Path) -> None:
    assert len(read(tmp_path, UPSTREAM + "shared = true\n" + TWO_GROUPS).registries) == 2
