"""The copy that is served where upstreams cannot be asked in time."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from attrs import frozen

from virtreg.errors import Overloaded
from virtreg.model import Entry
from virtreg.service.patience import abandon
from virtreg.service.resolution import Resolved
from virtreg.service.turns import wait_turn
from virtreg.service.works import SUSPECTED, Works


@frozen
class Spare:
    """A copy whose upstream is to be asked whether it is still current."""

    entry: Entry
    serve: Callable[[str], Resolved | None]
    """Serve it stale, for this reason; None when its bytes are gone. Raises StoreUnavailable."""


def resolve_in_time(
    works: Works, key: Hashable, fly: Callable[[], Resolved], spare: Spare | None
) -> Resolved:
    """What the flight of ``key`` brings. Without a ``spare`` it is waited for, whatever it takes.
    With one the spare is served when the flight takes longer than ``works.patience``, also to who
    comes while it still flies, and where no more requests may wait.

    Raises what ``fly`` does, and Overloaded.
    """
    if spare is None:
        wait_turn()
        return fly()
    entry = spare.entry
    if key in works.flights and works.suspects.until(entry.source, entry.path, works.clock()):
        slow = spare.serve("it has been waited for in vain")
        if slow is not None:
            return slow
    try:
        wait_turn()
    except Overloaded as error:
        unasked = spare.serve(error.message)
        if unasked is None:
            raise
        return unasked
    found = works.patience.wait(fly)
    if isinstance(found, Resolved):
        return found
    works.suspects.remember(entry.source, entry.path, works.clock(), SUSPECTED)
    late = spare.serve(f"no answer in {works.patience.seconds:g} s")
    if late is None:
        return found.result()
    abandon(found)
    return late
