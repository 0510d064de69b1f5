"""An upstream in trouble keeps nobody waiting who does not need it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tests.service.hub import FILE, SMALL, MakeHub, fake
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.model import RegistrySpec
from virtreg.service.health import GuardedUpstream
from virtreg.service.registry import PullThroughRegistry
from virtreg.testing.gate import Gate

CLIENTS = 80


def test_a_silent_upstream_holds_up_its_own_registries_only(make_hub: MakeHub) -> None:
    gate = Gate()
    silent, healthy = fake("silent"), fake("healthy")
    paths = [f"org/example/a{number}/1.0/a{number}-1.0.bin" for number in range(CLIENTS)]
    for path in paths:
        silent.put(path, SMALL, hold=gate)
    hub = make_hub(silent, healthy)
    c, d = fake("c"), fake("d")
    d.put(FILE, SMALL)
    spec = RegistrySpec(2, "other", "maven", (c.spec, d.spec))
    with (
        closing(GuardedUpstream(c, hub.clock)) as first,
        closing(GuardedUpstream(d, hub.clock)) as second,
        ThreadPoolExecutor(CLIENTS + 1) as threads,
    ):
        other = PullThroughRegistry(spec, MavenFormat(), [first, second], hub.works)
        asking = [threads.submit(hub.get, path) for path in paths]
        try:
            for _ in range(32):
                gate.await_arrival()
            resolved = threads.submit(other.resolve, hub.route(FILE)).result(20)
        finally:
            gate.release()
        with resolved.body as body:
            assert b"".join(body.read()) == SMALL
        assert {each.result(30).body for each in asking} == {SMALL}
