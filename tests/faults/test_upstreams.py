"""Upstreams that break at every moment of an exchange, for each thing that is pulled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve, frozen

from tests.e2e.processes import until
from tests.e2e.soundness import unsound_blobs
from tests.faults.fault import Fault, Kind
from tests.faults.ground import Ground, Slot, agree, ground, together
from tests.faults.judging import Judge
from tests.faults.stage import MEMBERS, STAGES, Goods
from tests.faults.tally import Tally

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@frozen
class Case:
    slot: Slot
    fault: Fault

    def __str__(self) -> str:
        return f"{self.slot}: {self.fault}"


def _faults(goods: Goods) -> Iterator[Fault]:
    yield Fault("refuse")
    yield Fault("ignore")
    yield Fault("slow", on=goods.meant, rate=max(4000, goods.size))
    breaks: Sequence[Kind] = ("cut", "reset", "stall")
    for kind in breaks:
        for times in (None, 1):
            fault = Fault(kind, on=goods.meant, times=times)
            yield fault
            yield evolve(fault, after=20)
            if goods.size:
                for after in (1, goods.size // 2, goods.size - 1):
                    yield evolve(fault, after=after, body=True)


def _cases() -> Iterator[Case]:
    number = 0
    for stage in STAGES:
        for position, _ in enumerate(_faults(stage.goods("any"))):
            slot = Slot(f"s{number:03}", stage, position % len(MEMBERS) if stage.merged else 0)
            yield Case(slot, list(_faults(slot.goods))[position])
            number += 1


CASES = tuple(_cases())


def _run(ground: Ground, case: Case) -> str | None:
    """What is wrong."""
    slot = case.slot
    complaint = ground.prepare(slot)
    if complaint is not None:
        return complaint
    proxy = ground.proxies[slot.name]
    proxy.inject(case.fault)
    must = slot.stage.old or case.fault.kind == "slow"
    _, complaint = ground.judge.ask(ground.wanted(slot), must=must)
    struck = proxy.struck
    proxy.heal()
    if complaint is not None:
        return f"{case}: {complaint}"
    if not struck:
        return f"{case}: never struck"
    ground.judge.tally.strike("upstream")
    return ground.recover(slot)


def test_an_upstream_may_break_at_any_moment(tmp_path: Path, tally: Tally) -> None:
    with ground(tmp_path, [case.slot for case in CASES], Judge(tally)) as site:
        agree(together(partial(_run, site), CASES))
        until(lambda: not site.node.spooled(), "empty spool")
        agree(site.lost())
        assert len(site.held) == len(CASES)
        assert unsound_blobs(site.node.data) == []
