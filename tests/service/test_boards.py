"""What processes write to each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.errors import (
    IntegrityError,
    NoRoom,
    StorageError,
    UpstreamBusy,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
    VirtregError,
)
from virtreg.model import Algorithm, Representation, Route
from virtreg.service.boards import Board, Record, Stage, open_board
from virtreg.service.leads import Lead, sweep, take
from virtreg.service.notices import (
    arrival_notice,
    failure_notice,
    read_arrival,
    read_failure,
)

words = st.text(max_size=20)


@given(stage=st.sampled_from(Stage), visible=st.integers(0, 2**63), note=st.binary(max_size=99))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, stage: Stage, visible: int, note: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "board"
    written, read = open_board(path), open_board(path)
    try:
        written.write(stage, visible, note)
        record = read.read()
        assert (record.stage, record.visible, read.note(record)) == (stage, visible, note)
        written.write(stage, visible + 1)
        assert read.note(read.read()) == note
    finally:
        written.close()
        read.close()
        path.unlink()


@given(cut=st.integers(0, 24), torn=st.binary(min_size=1, max_size=25))
def test_a_torn_record_is_none(
    tmp_path_factory: pytest.TempPathFactory, cut: int, torn: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "torn"
    written, read = open_board(path), open_board(path)
    try:
        written.write(Stage.ARRIVING, 1000, b"note")
        before = read.read()
        with path.open("r+b") as file:
            whole = file.read()
            file.seek(cut)
            file.write(torn)
            file.seek(0)
            after = file.read()
        assert (read.read() == before) or after[: len(whole)] == whole
    finally:
        written.close()
        read.close()
        path.unlink()


@pytest.mark.parametrize(
    "kind",
    [
        UpstreamError,
        UpstreamUnavailable,
        UpstreamTimeout,
        UpstreamRefused,
        UpstreamBusy,
        UpstreamThrottled,
        IntegrityError,
    ],
)
@given(message=words, upstream=words, reason=words, wait=st.none() | st.floats(0, 1e6))
def test_an_error_is_the_same_in_another_process(
    kind: type[UpstreamError], message: str, upstream: str, reason: str, wait: float | None
) -> None:
    error = kind(message, upstream=upstream, reason=reason, retry_after=wait)
    read = read_failure(failure_notice(error))
    assert isinstance(read, UpstreamError)
    assert type(read) is kind
    assert (read.message, read.upstream, read.retry_after) == (message, upstream, wait)
    assert read.reason == (reason or message)


def test_what_is_wrong_with_the_cache_is_told_as_that() -> None:
    read = read_failure(failure_notice(NoRoom("full", retry_after=3)))
    assert type(read) is StorageError
    assert read.retry_after == 3


def test_nothing_is_told_of_an_error_that_nobody_meant_to_show() -> None:
    read = read_failure(failure_notice(ValueError("a secret")))
    assert type(read) is VirtregError
    assert "secret" not in read.message


def test_a_body_is_described_with_all_that_headers_are_made_of() -> None:
    claimed = Representation(None, {Algorithm.SHA256: "ab"}, "text/plain", "yesterday")
    route = Route("a/b", digest=(Algorithm.SHA256, "ab"))
    notice = read_arrival(
        arrival_notice(Path("/spool/x"), "upstream:a", claimed, 7, route, 1.5, "old")
    )
    assert notice.claimed == Representation(7, {Algorithm.SHA256: "ab"}, "text/plain", "yesterday")
    assert (notice.path, notice.source, notice.route) == (Path("/spool/x"), "upstream:a", route)
    assert (notice.expires_at, notice.warning) == (1.5, "old")


def test_one_has_the_lead_until_it_ends_and_takes_its_board_away(tmp_path: Path) -> None:
    path = tmp_path / "board"
    lead = take(path)
    assert isinstance(lead, Lead)
    seen = take(path)
    assert isinstance(seen, Board)
    assert not seen.lock()
    lead.landed()
    lead.landed()
    assert not path.exists()
    assert seen.lock()
    assert not seen.linked
    assert seen.read() == Record()
    again = take(path)
    assert isinstance(again, Lead)
    again.landed()
    seen.close()


def test_the_board_of_a_dead_leader_is_replaced_and_what_stands_on_it_stays(
    tmp_path: Path,
) -> None:
    path = tmp_path / "board"
    dead = open_board(path)
    dead.write(Stage.ARRIVING, 5, b"note")
    seen = open_board(path)
    dead.close()
    lead = take(path)
    assert isinstance(lead, Lead)
    assert seen.read().visible == 5
    assert seen.identity != path.stat().st_ino
    lead.landed()
    seen.close()


def test_sweeping_leaves_what_somebody_holds(tmp_path: Path) -> None:
    lead = take(tmp_path / "held")
    assert isinstance(lead, Lead)
    (tmp_path / "left").write_bytes(b"left")
    assert sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["held"]
    lead.landed()


def test_a_board_is_a_file_and_no_link_to_one(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "link").symlink_to(precious)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=r"symbolic links|not a file"):
            open_board(tmp_path / name)
    assert precious.read_bytes() == b"precious"


def test_a_board_is_for_the_account_of_the_server_alone(tmp_path: Path) -> None:
    open_board(tmp_path / "board").close()
    assert (tmp_path / "board").stat().st_mode & 0o077 == 0
