"""A node's disk that fills up, takes no more, or loses its files, and a node out of descriptors."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from attrs import field, frozen

from tests.e2e.soundness import unsound_blobs
from tests.faults.disk import Disk, small_disk
from tests.faults.ground import Ground, Moment, Must, agree, ground, happening, slots_for, together
from tests.faults.judging import Judge
from tests.faults.stage import LARGE, STAGES
from tests.faults.tally import Tally

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

MIB = 1024 * 1024
SIZE = 256 * MIB

Act = Callable[[Ground, Disk], None]


def _limit(which: int, to: int, site: Ground, disk: Disk) -> None:
    """Of the node's processes; -1 is as much as they may."""
    for pid in site.node.pids():
        _, most = resource.prlimit(pid, which)
        resource.prlimit(pid, which, (most if to < 0 else to, most))


@frozen
class Trouble:
    name: str
    inject: Act = field(repr=False)
    heal: Act = field(repr=False)
    must: Must = "all"
    """What has to be served all the same."""
    moments: tuple[Moment, ...] = ("idle", "before", "middle", "last")


def _full(left: int) -> Act:
    return lambda site, disk: disk.fill(left)


def _relieve(site: Ground, disk: Disk) -> None:
    disk.relieve()


def _limited(which: int, to: int) -> Act:
    return partial(_limit, which, to)


TROUBLES = (
    Trouble("nearly full disk", _full(4 * MIB), _relieve),
    Trouble("full disk", _full(0), _relieve, must="held"),
    Trouble("disk full in a moment", _full(LARGE), _relieve, must="held"),
    Trouble(
        "files that do not grow",
        _limited(resource.RLIMIT_FSIZE, 4096),
        _limited(resource.RLIMIT_FSIZE, -1),
        must="held",
    ),
    Trouble(
        "no descriptors",
        _limited(resource.RLIMIT_NOFILE, 30),
        _limited(resource.RLIMIT_NOFILE, -1),
        must="none",
        # Connections that are accepted: no others can be.
        moments=("before", "middle", "last"),
    ),
)


def test_a_disk_may_fill_up_at_any_moment(tmp_path: Path, tally: Tally) -> None:
    rounds = [
        (trouble, moment, slots_for(happening(STAGES, moment), f"{number}-{moment}"))
        for number, trouble in enumerate(TROUBLES)
        for moment in trouble.moments
    ]
    slots = [slot for *_, some in rounds for slot in some]
    folder = tmp_path / "node"
    with (
        small_disk(folder / "small", SIZE) as disk,
        ground(folder, slots, Judge(tally), storing={"path": "small"}) as site,
    ):
        complaints: list[str] = []
        for trouble, moment, some in rounds:
            inject, heal = (partial(one, site, disk) for one in (trouble.inject, trouble.heal))
            said = site.strike(trouble.name, some, moment, inject, heal, must=trouble.must)
            complaints += [f"{trouble.name} {moment}: {each}" for each in said]
        agree(complaints)
        site.node.kill()
        disk.fill()
        site.node.start()
        agree(site.lost())
        assert len(site.held) == len(slots)
        disk.relieve()
        assert unsound_blobs(site.node.data) == []


def test_files_that_vanish_are_fetched_again(tmp_path: Path, tally: Tally) -> None:
    slots = slots_for(STAGES, "gone")
    with ground(tmp_path, slots, Judge(tally)) as site:
        for slot in slots:
            agree([site.prepare(slot)])
        agree(together(site.recover, slots))
        for blobs in (site.node.data / "blobs" / "sha256").iterdir():
            shutil.rmtree(blobs)
        agree(together(lambda each: site.judge.ask(each, must=True)[1], site.held))
        for _ in slots:
            tally.strike("blobs that are gone")
        agree(together(site.recover, slots))
        agree(site.lost())
