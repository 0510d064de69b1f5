"""A node that is killed, stopped or frozen while all kinds of things are under way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from tests.e2e.processes import until
from tests.e2e.soundness import unsound_blobs
from tests.faults.ground import Ground, Moment, agree, ground, happening, slots_for
from tests.faults.judging import Judge
from tests.faults.stage import STAGES
from tests.faults.tally import Tally

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

FROZEN = 3.0
"""Seconds; longer than the time limits of upstreams."""

Fault = Callable[[Ground], None]


def _kill(site: Ground) -> None:
    site.node.kill()


def _stop(site: Ground) -> None:
    site.node.terminate()
    # It must not wait for upstreams that say nothing longer than it is told to.
    site.node.wait(30)


def _freeze(site: Ground) -> None:
    pids = site.node.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    threading.Event().wait(FROZEN)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def _restart(site: Ground) -> None:
    site.node.start()


def _nothing(site: Ground) -> None:
    pass


FAULTS: dict[str, tuple[Fault, Fault]] = {
    "killed node": (_kill, _restart),
    "stopped node": (_stop, _restart),
    "frozen node": (_freeze, _nothing),
}


def test_a_node_may_end_at_any_moment(tmp_path: Path, tally: Tally) -> None:
    rounds = [
        (name, moment, slots_for(happening(STAGES, moment), f"{name.split()[0]}-{moment}"))
        for name in FAULTS
        for moment in get_args(Moment)
        if moment != "idle"
    ]
    slots = [slot for *_, some in rounds for slot in some]
    judge = Judge(tally, gone=True)
    with ground(tmp_path, slots, judge, serving={"graceful_timeout": 2}) as site:
        for name, moment, some in rounds:
            inject, heal = (lambda one=one: one(site) for one in FAULTS[name])
            agree(site.strike(name, some, moment, inject, heal))
            assert unsound_blobs(site.node.data) == []
        until(lambda: not site.node.spooled(), "empty spool")
        site.node.kill()
        site.node.start()
        agree(site.lost())
        assert len(site.held) == len(slots)
