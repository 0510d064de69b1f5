"""Cleanup policies: removing what a group has not used for long, and what is beyond its budget."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from attrs import field, frozen

from virtreg.core import policies as rules
from virtreg.errors import Conflict, NotFound, VirtregError
from virtreg.events import CleanedUp, Observer
from virtreg.managed import CleanupPolicy, Reclaimed
from virtreg.model import Entry
from virtreg.protocols import CacheStore, Inventory, Policies
from virtreg.service.batches import Batches
from virtreg.service.eviction import Eviction, Interrupted, Tally
from virtreg.service.leasing import Lease, LeaseLost
from virtreg.service.reclaiming import Reclaimer
from virtreg.service.remains import Remains

_log = logging.getLogger(__name__)

_LEASE = "cleanup"


@frozen
class CleanupRun:
    """What a run removed so far, or would remove."""

    group: str
    dry_run: bool = False
    by_format: Mapping[str, Reclaimed] = field(factory=dict)
    """Entries and bytes freed. Of a dry run the bytes are the most that can be freed: other groups
    may keep the same files."""
    finished: bool = False
    """False while it goes on, and when it was stopped."""

    @property
    def total(self) -> Reclaimed:
        return rules.total(self.by_format)


Progress = Callable[[CleanupRun], object]


class Cleaner:
    """Runs policies, one at a time over all processes that share the index. Thread-safe.

    A run goes in small batches with pauses, and stops after the one at hand when ``close`` is
    called. Wherever it stops, or is killed, the next run of the policy does what is left.
    ``settle`` writes to the index what was downloaded so far; what is downloaded while a run goes
    on stays.
    """

    def __init__(
        self,
        index: Inventory,
        store: CacheStore,
        policies: Policies,
        clock: Callable[[], float],
        tell: Observer,
        *,
        settle: Callable[[], None] = lambda: None,
        removed: Callable[[], object] = lambda: None,
        hurry: bool = False,
    ) -> None:
        """``removed`` is called after a run that removed something: what is kept ready of it is to
        go. ``hurry``: no pauses, for who has nobody to consider."""
        self._index = index
        self._policies = policies
        self._clock = clock
        self._tell = tell
        self._settle = settle
        self._removed = removed
        self._hurry = hurry
        self._closing = threading.Event()
        self._counts_cleared_at = 0.0
        self._reclaimer = Reclaimer(index, store, clock)
        self._remains = Remains(index, policies, self._reclaimer, clock)

    def run(
        self,
        group: str,
        *,
        dry_run: bool = False,
        progress: Progress = lambda _run: None,
        actor: str = "",
    ) -> CleanupRun:
        """Run a group's policy now, enabled or not; ``progress`` is called after each batch.

        A dry run changes nothing. Raises NotFound when there is no policy, Conflict while another
        run goes on, StorageError when the run failed, which its policy then tells too.
        """
        policy = self._policies.policy(group)
        if policy is None:
            raise NotFound(f"group {group!r} has no cleanup policy")
        if dry_run:
            return self._would_run(policy, progress)
        lease = self._lease(_LEASE)
        with lease.held() as taken:
            if not taken:
                raise Conflict("another cleanup is running; try again when it has ended")
            run = CleanupRun(group)
            with suppress(Interrupted, LeaseLost):
                self._remains.clear(self._batches(), self._checked(lease))
                run = self._run(group, lease, progress, actor)
                self._remains.clear_counts(self._checked(lease))
            return run

    def run_due(self, now: float) -> list[CleanupPolicy]:
        """Run what is due at this time, and remove what no group wants any more; the policies that
        ran, as they are afterwards. Nothing while another process does. What fails is told by the
        policy; raises StorageError when that cannot be kept."""
        lease = self._lease(_LEASE)
        ran: list[CleanupPolicy] = []
        with lease.held() as taken:
            if not taken:
                return []
            try:
                self._remains.clear(self._batches(), self._checked(lease))
                for group in [each.group for each in self._policies.policies()]:
                    # As it is by now: those before it may have run for long.
                    policy = self._policies.policy(group)
                    if policy is None:
                        continue
                    if rules.is_due(policy, now):
                        self._run_told(group, lease)
                        after = self._policies.policy(group)
                        ran += [] if after is None else [after]
                    elif policy.status == "running":
                        self._policies.change_policy(group, rules.stopped)
                if ran or now - self._counts_cleared_at >= rules.DAY:
                    self._remains.clear_counts(self._checked(lease))
                    self._counts_cleared_at = now
            except (Interrupted, LeaseLost):
                _log.info("cleanup stopped")
        return ran

    def evict(self, group: str, keep: int) -> Reclaimed:
        """Remove what the group downloaded least recently until it keeps no more than that many
        bytes. Does nothing while another process does. Raises StorageError."""
        lease = self._lease(f"evict {group}")
        tally = Tally(self._policies.sources_of(group))
        with lease.held() as taken:
            if taken:
                try:
                    check = self._checked(lease)
                    self._eviction(tally, check, check).down_to(keep)
                except (Interrupted, LeaseLost):
                    _log.info("eviction of group %s stopped", group)
                finally:
                    self._tell_removed(tally)
        return rules.total(tally.by_format)

    def close(self) -> None:
        """Stop what runs after the batch at hand; nothing runs any more."""
        self._closing.set()

    def _run_told(self, group: str, lease: Lease) -> None:
        """Raises Interrupted and LeaseLost."""
        try:
            run = self._run(group, lease, lambda _run: None, "")
        except Exception:  # noqa: BLE001 - one group's failure is not another's
            _log.warning("cleanup of group %s failed", group, exc_info=True)
            return
        if not run.finished:
            raise Interrupted

    def _run(self, group: str, lease: Lease, progress: Progress, actor: str) -> CleanupRun:
        policy = self._policies.change_policy(group, rules.started)
        if policy is None:
            raise NotFound(f"group {group!r} has no cleanup policy any more")
        tally = Tally(self._policies.sources_of(group))
        check = self._checked(lease)

        def checked() -> None:
            progress(CleanupRun(group, by_format=dict(tally.by_format)))
            check()

        try:
            eviction = self._eviction(tally, checked, check)
            eviction.unwanted(rules.unwanted_before(policy, self._clock()))
            if policy.keep_bytes is not None:
                eviction.down_to(policy.keep_bytes)
        except Interrupted:
            self._policies.change_policy(group, rules.stopped)
            return CleanupRun(group, by_format=dict(tally.by_format))
        except LeaseLost:
            # Whoever has it by now goes on with the policy.
            return CleanupRun(group, by_format=dict(tally.by_format))
        except Exception as error:
            message = error.message if isinstance(error, VirtregError) else type(error).__name__
            self._ended(group, tally, actor, message)
            raise
        finally:
            self._tell_removed(tally)
        self._ended(group, tally, actor, "")
        run = CleanupRun(group, by_format=dict(tally.by_format), finished=True)
        progress(run)
        return run

    def _ended(self, group: str, tally: Tally, actor: str, failure: str) -> None:
        now, by_format = self._clock(), tally.by_format
        if failure:
            self._policies.change_policy(
                group, lambda policy: rules.failed(policy, now, by_format, failure)
            )
        else:
            self._policies.change_policy(
                group, lambda policy: rules.finished(policy, now, by_format)
            )
        every = rules.total(by_format)
        self._tell(
            CleanedUp(
                actor=actor,
                group=group,
                entries=every.entries,
                size=every.size,
                formats=tuple(
                    (name, each.entries, each.size) for name, each in sorted(by_format.items())
                ),
                failure=failure,
            )
        )

    def _tell_removed(self, tally: Tally) -> None:
        if not tally.by_format:
            return
        try:
            self._removed()
        except VirtregError as error:
            _log.warning("what was removed may be served a while longer: %s", error.message)

    def _would_run(self, policy: CleanupPolicy, progress: Progress) -> CleanupRun:
        sources = self._policies.sources_of(policy.group)
        tally = Tally(sources)
        before = rules.unwanted_before(policy, self._clock())
        excess = 0
        if policy.keep_bytes is not None:
            excess = self._index.used(list(sources)) - policy.keep_bytes
        going: Iterator[tuple[Entry, float | None]] = self._index.least_recent(list(sources))
        blobs: set[str] = set()
        for number, (entry, last_at) in enumerate(going, 1):
            wanted = entry.created_at if last_at is None else last_at
            if wanted >= before and excess <= 0:
                break
            # Files that are cached under several paths were mostly cached at one time.
            size = 0 if entry.sha256 in blobs else entry.size
            blobs.add(entry.sha256)
            excess -= size
            tally.add(entry, size)
            if number % 1000 == 0:
                blobs.clear()
                progress(CleanupRun(policy.group, True, dict(tally.by_format)))
                if self._closing.is_set():
                    return CleanupRun(policy.group, True, dict(tally.by_format))
        run = CleanupRun(policy.group, True, dict(tally.by_format), finished=True)
        progress(run)
        return run

    def _eviction(
        self, tally: Tally, checked: Callable[[], None], between: Callable[[], None]
    ) -> Eviction:
        return Eviction(self._index, self._batches(), tally, checked, between)

    def _batches(self) -> Batches:
        rest = (lambda _seconds: None) if self._hurry else self._closing.wait
        return Batches(self._index, self._reclaimer, self._settle, rest)

    def _lease(self, name: str) -> Lease:
        return Lease(self._index, name, self._clock)

    def _checked(self, lease: Lease) -> Callable[[], None]:
        """To be called between batches: raises Interrupted and LeaseLost."""

        def check() -> None:
            if self._closing.is_set():
                raise Interrupted
            lease.renew()

        return check
