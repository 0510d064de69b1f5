"""Running a cleanup policy by the API."""

from __future__ import annotations

import threading

import pytest
from attrs import evolve

from tests.wsgi.api.desks import CONTAINER, Desk
from tests.wsgi.api.shelves import BODY, IMAGE, OTHER, POM, shelf
from virtreg.core.policies import DAY
from virtreg.errors import Conflict
from virtreg.events import CleanedUp
from virtreg.model import Principal
from virtreg.service.cleaning import Cleaner
from virtreg.testing.gate import Gate
from virtreg.wsgi.api.cleanups import CleanupTrial, endpoints
from virtreg.wsgi.api.endpoint import Call

PATH = "/groups/ours/-/virtual_registries/cleanup/policy"


def test_a_run_deletes_what_was_not_wanted_for_long(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(OTHER, b"evil")
    desk.clock.advance(31 * DAY)
    at.keep(POM)
    desk.ask("POST", PATH).made()
    told = desk.ask("POST", f"{PATH}/run")
    assert (told.status, told.json) == (
        200,
        {
            "dry_run": False,
            "finished": True,
            "deleted_entries_count": 1,
            "deleted_size": told.json["deleted_size"],
            "detailed_metrics": {
                "maven": {
                    "deleted_entries_count": 1,
                    "deleted_size": told.json["deleted_size"],
                }
            },
        },
    )
    assert [each["relative_path"] for each in at.entries()] == [f"/{POM}"]
    shown = desk.ask("GET", PATH).json
    assert shown["last_run_deleted_entries_count"] == 1
    assert shown["last_run_at"] is not None
    (event,) = [each for each in desk.told if isinstance(each, CleanedUp)]
    assert (event.actor, event.group, event.entries) == ("owner", "ours", 1)


def test_a_dry_run_deletes_nothing(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    images = shelf(desk, CONTAINER)
    images.keep(IMAGE, b"{}")
    desk.ask("POST", PATH, body={"keep_bytes": 0}).made()
    told = desk.ask("POST", f"{PATH}/run?dry_run=true").json
    assert (told["dry_run"], told["finished"], told["deleted_entries_count"]) == (True, True, 2)
    assert told["deleted_size"] == len(BODY) + 2
    assert set(told["detailed_metrics"]) == {"maven", "container"}
    assert at.held(POM) is not None
    assert desk.ask("GET", PATH).json["last_run_at"] is None


def test_there_is_nothing_to_run_without_a_policy(desk: Desk) -> None:
    assert desk.ask("POST", f"{PATH}/run").status == 404
    assert desk.ask("POST", PATH.replace("ours", "ours%2Fbelow") + "/run").status == 403


def test_one_run_of_a_policy_goes_on_at_a_time_even_a_dry_one(desk: Desk) -> None:
    desk.ask("POST", PATH).made()
    gate = Gate()

    def held() -> float:
        gate.arrive()
        return desk.clock()

    cleaner = Cleaner(desk.index, desk.parts.store, desk.catalog, held, lambda _: None)
    (endpoint,) = endpoints(evolve(desk.parts, cleaner=cleaner), patience=0.0)
    who = Principal("owner")
    call = Call({}, {"group": "ours"}, CleanupTrial(dry_run=True), None, lambda _a, _g: who)
    assert endpoint.run(call).status == 202
    gate.await_arrival()
    for _ in range(3):
        with pytest.raises(Conflict, match="goes on"):
            endpoint.run(call)
    gate.release()
    _join()
    assert endpoint.run(call).status in (200, 202)
    _join()


def _join() -> None:
    for thread in threading.enumerate():
        if thread.name == "virtreg-cleanup":
            thread.join(20)


def test_a_run_that_takes_long_goes_on_by_itself(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    desk.clock.advance(31 * DAY)
    desk.ask("POST", PATH).made()
    gate, ended = Gate(), threading.Event()
    cleaner = Cleaner(
        desk.index,
        desk.parts.store,
        desk.catalog,
        desk.clock,
        lambda event: ended.set() if isinstance(event, CleanedUp) else None,
        settle=gate.arrive,
        hurry=True,
    )
    (endpoint,) = endpoints(evolve(desk.parts, cleaner=cleaner), patience=0.0)
    query = CleanupTrial()
    call = Call({}, {"group": "ours"}, query, None, lambda _action, _group: Principal("owner"))
    answer = endpoint.run(call)
    assert (answer.status, answer.content.finished) == (202, False)
    gate.await_arrival()
    assert desk.ask("GET", PATH).json["status"] == "running"
    assert desk.ask("POST", f"{PATH}/run").status == 409
    gate.release()
    assert ended.wait(20)
    _join()
    shown = desk.ask("GET", PATH).json
    assert (shown["status"], shown["last_run_deleted_entries_count"]) == ("scheduled", 1)
