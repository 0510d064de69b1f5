"""What groups set."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from tests.backends.catalog.conftest import Open
from virtreg.backends.catalog import SqlCatalog
from virtreg.errors import NotFound
from virtreg.managed import CleanupPolicy, GroupSettings, Reclaimed

POLICY = CleanupPolicy("g", created_at=1.0, updated_at=2.0)
FULL = CleanupPolicy(
    "g",
    created_at=1.0,
    updated_at=3.0,
    enabled=True,
    keep_n_days_after_download=365,
    cadence=90,
    keep_bytes=2**50,
    next_run_at=5.5,
    last_run_at=4.5,
    last_run=Reclaimed(7, 2**45),
    last_run_by_format=(("maven", Reclaimed(3, 10)), ("container", Reclaimed(4, 2**45 - 10))),
    status="failed",
    failure_message="the disk is full",
)


def test_a_policy_is_there_as_it_was_saved(catalog: SqlCatalog) -> None:
    assert catalog.policy("g") is None
    for policy in (POLICY, FULL, POLICY):
        catalog.save_policy(policy)
        assert catalog.policy("g") == policy
        assert catalog.policies() == [policy]
    catalog.save_policy(evolve(FULL, group="a"))
    assert [each.group for each in catalog.policies()] == ["a", "g"]


def test_a_removed_policy_is_gone(catalog: SqlCatalog) -> None:
    catalog.save_policy(POLICY)
    catalog.remove_policy("g")
    assert catalog.policy("g") is None
    with pytest.raises(NotFound, match="group 'g' has no cleanup policy"):
        catalog.remove_policy("g")


def test_settings_are_the_usual_ones_until_they_are_saved(catalog: SqlCatalog) -> None:
    assert catalog.settings("g") == GroupSettings("g")
    for settings in (GroupSettings("g", 2**50, "stream"), GroupSettings("g")):
        catalog.save_settings(settings)
        assert catalog.settings("g") == settings
        assert catalog.settings("h") == GroupSettings("h")


def test_what_no_request_depends_on_is_no_change_of_the_catalog(catalog: SqlCatalog) -> None:
    before = catalog.revision()
    catalog.save_policy(FULL)
    catalog.remove_policy("g")
    assert catalog.revision() == before


def test_other_processes_hear_of_a_quota(catalog: SqlCatalog) -> None:
    before = catalog.revision()
    catalog.save_settings(GroupSettings("g", 5))
    assert catalog.revision() > before


def test_changes_of_a_policy_at_one_time_all_happen(catalog: SqlCatalog, opened: Open) -> None:
    catalog.save_policy(POLICY)
    others = [catalog, opened()]

    def count(_: int, catalog: SqlCatalog) -> None:
        catalog.change_policy("g", lambda each: evolve(each, keep_bytes=(each.keep_bytes or 0) + 1))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(40), others * 20))
    assert catalog.policy("g") == evolve(POLICY, keep_bytes=40)
    assert catalog.change_policy("h", lambda each: each) is None
    assert catalog.policies() == [evolve(POLICY, keep_bytes=40)]
