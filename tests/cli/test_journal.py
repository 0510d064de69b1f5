from __future__ import annotations

import logging

import pytest

from virtreg.cli.journal import journal
from virtreg.events import Event, Filled, FillFailed, Merged, Purged, ServedStale, UpstreamFailed
from virtreg.model import Answered

WENT_WRONG = [
    (
        UpstreamFailed(
            "main", "a.jar", Answered("central", "timeout", "upstream 'central': silent")
        ),
        "main/a.jar: upstream 'central': silent",
    ),
    (FillFailed("main", "a.jar", "central", "sha1"), "main/a.jar: not kept: sha1"),
    (
        ServedStale("main", "a.jar", "central", "503"),
        "main/a.jar: served a stale copy from upstream 'central'",
    ),
    (
        Merged("main", "a/maven-metadata.xml", 1, ("one", "two")),
        "main/a/maven-metadata.xml: merged without upstreams one, two",
    ),
]
WENT_WELL = [
    Filled("main", "a.jar", "central", 5, 0.1),
    Merged("main", "a/maven-metadata.xml", 2, ()),
    Purged("main", "a.jar"),
]


@pytest.mark.parametrize(("event", "line"), WENT_WRONG)
def test_what_went_wrong_is_a_warning_with_its_facts(
    event: Event, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "virtreg"):
        journal(event)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, line)
    assert vars(record)["registry"] == "main"
    assert vars(record)["path"] == event.path


@pytest.mark.parametrize("event", WENT_WELL)
def test_what_went_well_is_not_repeated(event: Event, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "virtreg"):
        journal(event)
    assert caplog.records == []
