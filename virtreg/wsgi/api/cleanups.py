"""Running the cleanup policy of a group now."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import Annotated

from attrs import field, frozen
from msgspec import Meta, Struct

from virtreg.errors import Conflict
from virtreg.service.cleaning import Cleaner, CleanupRun
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.policies import PATH, DeletedOfFormat, by_format, owned, policy_of

PATIENCE = 20.0
"""Seconds until a run that still goes on is left to itself: proxies wait for an answer for a minute
or so."""


class CleanupTrial(Struct, kw_only=True):
    dry_run: Annotated[bool, Meta(description="Say what would be deleted, and delete nothing.")] = (
        False
    )


class CleanupRunShown(Struct, kw_only=True):
    dry_run: bool
    finished: Annotated[bool, Meta(description="False: it goes on, or was stopped.")]
    deleted_entries_count: int
    deleted_size: Annotated[
        int,
        Meta(description="Bytes. Of a dry run the most it can be: other groups may keep the same."),
    ]
    detailed_metrics: dict[str, DeletedOfFormat]


def endpoints(parts: Parts, patience: float = PATIENCE) -> list[Endpoint]:
    return [
        Endpoint(
            "POST",
            f"{PATH}/run",
            "Run the cleanup policy of a group now",
            _Running(parts, patience).run,
            query=CleanupTrial,
            gives=CleanupRunShown,
            status=202,
            instead=CleanupRunShown,
            action="clean_up",
            documented=False,
        )
    ]


@frozen(eq=False)
class _Run:
    """One that may outlast the call that started it."""

    cleaner: Cleaner
    group: str
    dry_run: bool
    actor: str
    so_far: deque[CleanupRun] = field(factory=lambda: deque(maxlen=1))
    result: Future[CleanupRun] = field(factory=Future)

    def __call__(self) -> None:
        try:
            run = self.cleaner.run(
                self.group, dry_run=self.dry_run, progress=self.so_far.append, actor=self.actor
            )
        except BaseException as error:  # noqa: BLE001 - raised to who waits, if somebody does
            self.result.set_exception(error)
        else:
            self.result.set_result(run)


@frozen(eq=False)
class _Running:
    parts: Parts
    patience: float
    _starting: threading.Lock = field(factory=threading.Lock)
    _going_on: dict[str, Future[CleanupRun]] = field(factory=dict)
    """The last run of each group."""

    def run(self, call: Call) -> Answer:
        """The answer's status is 202 where the run goes on."""
        group, who = owned(self.parts, call)
        policy_of(self.parts, group)
        run = _Run(self.parts.cleaner, group.name, call.asked(CleanupTrial).dry_run, who.name)
        with self._starting:
            # One that goes on is not ended by whoever stopped waiting for it.
            if group.name in self._going_on and not self._going_on[group.name].done():
                raise Conflict("another run of this policy goes on; try again when it has ended")
            threading.Thread(target=run, name="virtreg-cleanup", daemon=True).start()
            self._going_on[group.name] = run.result
        try:
            return Answer(_shown(run.result.result(self.patience)))
        except TimeoutError:
            now = run.so_far[-1] if run.so_far else CleanupRun(group.name, run.dry_run)
            return Answer(_shown(now), status=202)


def _shown(run: CleanupRun) -> CleanupRunShown:
    return CleanupRunShown(
        dry_run=run.dry_run,
        finished=run.finished,
        deleted_entries_count=run.total.entries,
        deleted_size=run.total.size,
        detailed_metrics=by_format(run.by_format),
    )
