from __future__ import annotations

import json
import logging
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg import events
from virtreg.backends.observers.audit import AuditLog
from virtreg.errors import StorageError
from virtreg.events import (
    AccessChanged,
    AuditEvent,
    Denied,
    GrantIssued,
    Purged,
    SecretChanged,
    SignInFailed,
)
from virtreg.testing.fakes import FakeClock

DENIED = Denied(
    registry="main",
    path="com/acme/app.jar",
    actor="ann",
    token_id="7",
    address="192.0.2.1",
    action="pull",
    hidden=True,
)


def test_an_audit_event_is_a_line(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", FakeClock(1_700_000_000.5))
    log(DENIED)
    log(SignInFailed(address="192.0.2.1", door="basic"))
    first, second = map(json.loads, (tmp_path / "audit.jsonl").read_text().splitlines())
    assert first == {
        "time": "2023-11-14T22:13:20.500Z",
        "event": "Denied",
        "registry": "main",
        "path": "com/acme/app.jar",
        "actor": "ann",
        "token_id": "7",
        "address": "192.0.2.1",
        "action": "pull",
        "hidden": True,
    }
    assert second == {
        "time": "2023-11-14T22:13:20.500Z",
        "event": "SignInFailed",
        "address": "192.0.2.1",
        "door": "basic",
    }
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_what_happens_to_files_is_no_matter_of_the_audit(tmp_path: Path) -> None:
    AuditLog(tmp_path / "audit.jsonl")(Purged("main", "com/acme/app.jar"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "event",
    [
        DENIED,
        SignInFailed(door="private-token"),
        GrantIssued(actor="ann", repositories=("images/app",), seconds=300.0),
        AccessChanged(subject="member", target="acme/ann", change="made developer"),
        SecretChanged(secret="nexus", change="set", upstream="inside"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_every_event_is_a_record_with_its_facts(
    event: AuditEvent, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "virtreg.audit"):
        AuditLog()(event)
    (record,) = caplog.records
    assert record.name == "virtreg.audit"
    assert record.getMessage() == f"audit: {type(event).__name__}"
    told = {name: value for name, value in attrs.asdict(event).items() if value}
    assert told.items() <= vars(record).items()


def test_no_event_has_a_fact_that_a_record_has_already() -> None:
    reserved = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "event", "time"}
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type)]
    audited = [kind for kind in kinds if issubclass(kind, AuditEvent)]
    assert len(audited) > 5
    for kind in audited:
        assert not reserved & {each.name for each in attrs.fields(kind)}


@given(st.text())
def test_no_text_from_outside_ends_a_line(text: str) -> None:
    written: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage())

    logger = logging.getLogger("virtreg.audit")
    handler = Lines()
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        AuditLog()(SignInFailed(door="basic", path=text, registry=text))
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
    assert written == ["audit: SignInFailed"]


def test_hostile_text_stays_on_its_line(tmp_path: Path) -> None:
    path = 'a\n{"event": "Forged"}\r\u2028\x85\x00"'
    AuditLog(tmp_path / "audit")(SignInFailed(door="basic", path=path))
    content = (tmp_path / "audit").read_bytes()
    assert content.count(b"\n") == len(content.decode().splitlines()) == 1
    assert json.loads(content)["path"] == path


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit")
    log(DENIED)
    (tmp_path / "audit").rename(tmp_path / "audit.1")
    log(DENIED)
    assert len((tmp_path / "audit").read_text().splitlines()) == 1


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: log(DENIED), range(200)))
    lines = (tmp_path / "audit").read_text().splitlines()
    assert len(lines) == 200
    assert all(json.loads(line)["event"] == "Denied" for line in lines)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    named = f"^cannot write {re.escape(str(tmp_path))}: Is a directory$"
    with pytest.raises(StorageError, match=named):
        AuditLog(tmp_path)(DENIED)
