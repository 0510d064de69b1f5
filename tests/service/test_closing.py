"""Ending: everything is finished or given up, nothing is left behind."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from tests.service.hub import FILE, LARGE, OTHER, SMALL, MakeHub, down, fake
from virtreg.errors import UpstreamUnavailable
from virtreg.events import Filled, FillFailed
from virtreg.testing.gate import Gate


def descriptors() -> set[str]:
    """Open descriptors and what they are of."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{link.name} {link.readlink()}")
        except FileNotFoundError:
            continue  # the one of the listing itself
    return found


def own_threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith("virtreg-")}


def test_a_running_download_is_finished_and_published(make_hub: MakeHub) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    hub = make_hub(a)
    hub.resolve(FILE).body.close()
    stall.await_arrival()
    assert hub.works.intake.active == 1
    threading.Thread(target=stall.release).start()
    hub.works.close(20)
    assert hub.works.intake.active == 0
    assert len(hub.events.of(Filled, FILE)) == 1
    assert hub.entry(a, FILE) is not None


def test_a_stalled_download_is_given_up_after_the_grace(make_hub: MakeHub) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    hub = make_hub(a)
    body = hub.resolve(FILE).body
    stall.await_arrival()
    hub.works.close(0.05)
    assert list((hub.folder / "store" / "spool").glob("*/*.part")) == []
    stall.release()
    hub.events.wait(FillFailed, FILE)
    assert hub.blobs() == set()
    with body:
        assert b"".join(body.read()) == LARGE


@pytest.mark.parametrize("cut", [None, 600_000], ids=["done", "cut"])
def test_no_thread_and_no_descriptor_is_left(make_hub: MakeHub, cut: int | None) -> None:
    gc.collect()
    threads, before = own_threads(), descriptors()
    a, b = fake("a"), fake("b")
    b.put(FILE, LARGE, cut_after=cut)
    b.put(OTHER, SMALL)
    hub = make_hub(a, b)
    hub.together(8, FILE)
    hub.pull(OTHER)
    hub.get(FILE)
    hub.resolve(f"{FILE}.sha1").body.close()
    a.fail(down())
    with pytest.raises(UpstreamUnavailable):
        hub.get("org/example/absent")
    hub.close()
    gc.collect()
    assert own_threads() - threads == set()
    assert descriptors() - before == set()
