"""A bucket that breaks while all kinds of things are under way: files are still served, from the
copies nearby or from the upstreams, and kept once it is well."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from attrs import define, field, frozen

from tests.faults import bucket as buckets
from tests.faults.bucket import Bucket
from tests.faults.fault import Fault
from tests.faults.ground import (
    Ground,
    Moment,
    Must,
    Slot,
    agree,
    ground,
    happening,
    slots_for,
)
from tests.faults.judging import Judge
from tests.faults.proxy import Proxies, Proxy
from tests.faults.stage import HITS, STAGES
from tests.faults.tally import Tally

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

LIMIT = 40.0
"""Seconds: an exchange with a bucket has its own, besides those of the upstreams."""


@define
class Site:
    """A bucket, and the proxy that virtreg reaches it by."""

    bucket: Bucket
    proxy: Proxy


@frozen
class Trouble:
    name: str
    inject: Callable[[Site], None] = field(repr=False)
    heal: Callable[[Site], None] = field(repr=False)
    moments: tuple[Moment, ...] = ("idle",)
    proxied: bool = False
    often: bool = False
    """Whether it is tried with copies nearby, too."""


def _by_proxy(name: str, fault: Fault, *moments: Moment, often: bool = False) -> Trouble:
    return Trouble(
        f"bucket: {name}",
        lambda site: site.proxy.inject(fault),
        lambda site: site.proxy.heal(),
        ("idle", *moments),
        proxied=True,
        often=often,
    )


def _door(door: buckets.Door, *moments: Moment, often: bool = False) -> Trouble:
    return Trouble(
        f"bucket: {door}",
        lambda site: site.bucket.reopen(door),
        lambda site: site.bucket.reopen("open"),
        ("idle", *moments),
        often=often,
    )


TROUBLES = (
    _by_proxy("refused", Fault("refuse"), "middle", often=True),
    _by_proxy("ignored", Fault("ignore")),
    _by_proxy("cut before answers", Fault("cut")),
    _by_proxy("reset before answers", Fault("reset")),
    _by_proxy("reset amid answers", Fault("reset", 5_000, body=True)),
    _by_proxy("cut amid answers", Fault("cut", 300_000, body=True)),
    _by_proxy("stalled", Fault("stall"), "middle", "last", often=True),
    _by_proxy("stalled amid answers", Fault("stall", 300_000, body=True)),
    _by_proxy("reset amid uploads", Fault("reset", 8_000, side="request")),
    _by_proxy("stalled amid uploads", Fault("stall", 8_000, side="request")),
    _by_proxy("slow", Fault("slow", rate=2_000_000)),
    _door("closed", "middle", often=True),
    _door("read-only", "middle"),
    Trouble(
        "bucket: killed",
        lambda site: site.bucket.kill(),
        lambda site: site.bucket.start(),
        ("idle", "last"),
        often=True,
    ),
    Trouble(
        "bucket: frozen",
        lambda site: site.bucket.freeze(),
        lambda site: site.bucket.thaw(),
    ),
)

Round = tuple[Trouble, Moment, list[Slot]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with buckets.bucket(tmp_path_factory.mktemp("bucket")) as one, Proxies() as proxies:
        yield Site(one, proxies.to(one.port))


def _rounds(*, copies: bool) -> list[Round]:
    return [
        (trouble, moment, slots_for(happening([*STAGES, *HITS], moment), f"{number}-{moment}"))
        for number, trouble in enumerate(TROUBLES)
        for moment in trouble.moments
        if trouble.often or not copies
    ]


def _strike(node: Ground, site: Site, rounds: list[Round], must: Must) -> list[str]:
    complaints: list[str] = []
    for trouble, moment, slots in rounds:
        said = node.strike(
            trouble.name,
            slots,
            moment,
            partial(trouble.inject, site),
            partial(trouble.heal, site),
            must=must,
        )
        if trouble.proxied and not site.proxy.struck:
            said.append("never struck")
        complaints += [f"{trouble.name} {moment}: {each}" for each in said]
    return complaints


@pytest.mark.parametrize("copies", [False, True], ids=["no-copies", "copies"])
def test_a_bucket_may_break_at_any_moment(
    copies: bool, site: Site, tmp_path: Path, tally: Tally
) -> None:
    rounds = _rounds(copies=copies)
    slots = [slot for *_, some in rounds for slot in some]
    prefix = secrets.token_hex(4)
    with ground(
        tmp_path,
        slots,
        Judge(tally, LIMIT),
        serving={"hot_bytes": 0},
        storing={
            "url": f"s3://{buckets.NAME}/{prefix}",
            "cache_bytes": 100_000_000 if copies else 0,
        },
        environment=site.bucket.environment(site.proxy.port),
    ) as node:
        agree(_strike(node, site, rounds, "all" if copies else "none"))
        agree(node.lost())
        assert len(node.held) == len(slots)
