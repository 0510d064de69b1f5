"""A machine that gives no more threads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.service.hub import FILE, LARGE, MakeHub, entry_of, fake
from virtreg.errors import StorageError, UpstreamError, VirtregError
from virtreg.model import Fetch
from virtreg.service.claims import Claims
from virtreg.service.exchange import Exchange, Reading
from virtreg.service.publishing import Publisher
from virtreg.service.spool import Spool
from virtreg.service.transfer import Transfer


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Nobody can start a thread: its stack would not fit into any address space."""
    before = threading.stack_size(1 << 47)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_a_download_without_a_thread_fails_and_leaves_nothing(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, headers={"x-checksum-sha1": hashlib.sha1(LARGE).hexdigest()})
    hub = make_hub(a)
    with no_more_threads(), pytest.raises(RuntimeError, match="thread"):
        hub.resolve(FILE)
    assert hub.works.intake.active == 0
    assert list((hub.folder / "store" / "spool").glob("*/*.part")) == []
    assert [reply.closed for reply in a.replies] == [True]
    assert hub.pull(FILE).body == LARGE


def test_a_download_without_a_thread_for_its_proof_keeps_nobody_waiting(
    make_hub: MakeHub, tmp_path: Path
) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a)
    route = hub.route(FILE)
    exchange = Exchange(
        hub.guarded[0], route, hub.registry.format, hub.registry.format.expect(route)
    )
    failures: list[VirtregError] = []
    with closing(Spool(tmp_path / "one.part", len(LARGE))) as spool:
        reading = Reading(a.fetch(Fetch(FILE)))
        transfer = Transfer(exchange, reading, spool, Claims({}, None), threading.Event())
        with no_more_threads():
            assert transfer.run(failures.append) is None
        with pytest.raises(UpstreamError) as told:
            spool.past(0)
    assert failures == [told.value]


def test_publishing_goes_on_once_there_are_threads_again(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"))
    content = b"content"
    entry = entry_of("a", "p", content)
    told = threading.Event()

    def done(error: VirtregError | None) -> None:
        assert error is None
        told.set()

    with closing(Publisher(hub.store, hub.index)) as publisher:
        with no_more_threads(), pytest.raises(RuntimeError, match="thread"):
            publisher.later(entry, content, done)
        publisher.later(entry, content, done)
        assert told.wait(20)
    assert hub.index.find("p", ["a"]) == [entry]


def test_a_file_that_cannot_be_made_is_a_failure_of_the_storage(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write to the spool folder: No such file"):
        Spool(tmp_path / "nowhere" / "one.part", 1)
