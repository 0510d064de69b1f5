"""The catalog in a SQL database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from virtreg.backends.catalog import associations, registries, rules, upstreams
from virtreg.backends.catalog.group_policies import GroupPolicies
from virtreg.backends.catalog.sealing import any_sealed
from virtreg.errors import Conflict, NotFound
from virtreg.managed import Association, ManagedRegistry, ManagedUpstream
from virtreg.model import Ownership, Rule, Secret


class SqlCatalog(GroupPolicies):
    """A Catalog whose registries and upstreams are managed while servers run.

    Of what a file declares it keeps ids, purges and further rules; all else of that comes from
    memory, and changes in the file alone: Conflict. ``fields`` are those of the management API, by
    name; a password is a Secret or None. Every change is one transaction, and is seen by other
    processes as soon as they ask for :meth:`revision` anew. All there is is kept in memory, and
    read again after a change.

    Methods that change something raise NotFound for what is not there, Invalid naming the fields
    that are wrong, and OutOfDate where it was changed after ``unmodified_since`` (seconds since the
    epoch). Every method raises StorageError for database trouble. Safe from any thread; may exist
    before a fork and be used after it.
    """

    # Registries

    def registries_of(self, group: str, format_name: str) -> list[ManagedRegistry]:
        """By id."""
        return [
            each
            for each in self._now().registries.values()
            if (each.spec.group, each.spec.format) == (group, format_name)
        ]

    def registry(self, registry_id: int) -> ManagedRegistry | None:
        return self._now().registries.get(registry_id)

    def add_registry(
        self, group: str, format_name: str, fields: Mapping[str, Any]
    ) -> ManagedRegistry:
        """``fields``: ``name``, ``description``, ``order``."""
        with self._changing() as change:
            number = registries.add(change, group, format_name, fields)
        return change.after.registries[number]

    def change_registry(
        self, registry_id: int, fields: Mapping[str, Any], unmodified_since: float | None = None
    ) -> ManagedRegistry:
        with self._changing() as change:
            registries.alter(change, registry_id, fields, unmodified_since)
        return change.after.registries[registry_id]

    def remove_registry(self, registry_id: int, unmodified_since: float | None = None) -> None:
        """With the upstreams that no other registry lists."""
        with self._changing() as change:
            registries.remove(change, registry_id, unmodified_since)

    def purge_registry(self, registry_id: int) -> None:
        """Let go of what is cached of the upstreams that no other registry lists, and of what is
        merged here. At once; a declared one as well."""
        with self._changing() as change:
            registries.purge(change, registry_id)

    def set_ownerships(self, registry_id: int, ownerships: Iterable[Ownership]) -> ManagedRegistry:
        """Replace them all. ``Ownership.upstreams`` are names of specs (``ManagedUpstream.spec``)
        that the registry lists; a sole owner cannot be taken away afterwards. Should it be gone
        from the configuration file, the registry serves nothing."""
        with self._changing() as change:
            registries.own(change, registry_id, ownerships)
        return change.after.registries[registry_id]

    # Upstreams

    def upstreams_of_group(
        self, group: str, format_name: str, search: str = "", limit: int = 20, offset: int = 0
    ) -> tuple[list[ManagedUpstream], int]:
        """A page of them, those changed last first, and how many there are. ``search``: a part of
        the name, in any case. A declared upstream is of the group of the first registry that lists
        it."""
        wanted = search.casefold()
        found = [
            each
            for each in self._now().upstreams.values()
            if (each.group, each.format) == (group, format_name) and wanted in each.name.casefold()
        ]
        found.sort(key=lambda each: (-each.updated_at, each.id))
        return found[offset : offset + limit], len(found)

    def upstream(self, upstream_id: int) -> ManagedUpstream | None:
        return self._now().upstreams.get(upstream_id)

    def upstreams_of(self, registry_id: int) -> list[tuple[Association, ManagedUpstream]]:
        """In order; empty where there is no such registry."""
        now = self._now()
        order = now.orders.get(registry_id, ())
        return [(place, now.upstreams[place.upstream_id]) for place in order]

    def associations_of(self, upstream_id: int) -> list[Association]:
        """By id."""
        return list(self._now().users.get(upstream_id, ()))

    def add_upstream(
        self, registry_id: int, fields: Mapping[str, Any]
    ) -> tuple[ManagedUpstream, Association]:
        """In the last place of a registry."""
        self._make_key(fields)
        with self._changing() as change:
            number, place = upstreams.add(change, registry_id, fields)
        return change.after.upstreams[number], change.after.associations[place]

    def add_local_upstream(
        self, registry_id: int, fields: Mapping[str, Any]
    ) -> tuple[ManagedUpstream, Association]:
        """As ``add_upstream``, of another registry, the ``local_registry_id``. That the caller may
        read it is for others to see to."""
        with self._changing() as change:
            number, place = upstreams.add_local(change, registry_id, fields)
        return change.after.upstreams[number], change.after.associations[place]

    def change_upstream(
        self, upstream_id: int, fields: Mapping[str, Any], unmodified_since: float | None = None
    ) -> ManagedUpstream:
        """A new URL has the login that is given with it, or none; the password is kept with its
        user name alone."""
        self._make_key(fields)
        with self._changing() as change:
            upstreams.alter(change, upstream_id, fields, unmodified_since)
        return change.after.upstreams[upstream_id]

    def remove_upstream(self, upstream_id: int, unmodified_since: float | None = None) -> None:
        """From every registry."""
        with self._changing() as change:
            upstreams.remove(change, upstream_id, unmodified_since)

    def has_login(self, upstream_id: int, username: str | None, password: Secret | None) -> bool:
        """Whether this is the login that is stored of an upstream, an empty name or password being
        none. Raises NotFound, Conflict for a declared one, and TooManyGuesses."""
        upstream = self.upstream(upstream_id)
        if upstream is None:
            raise NotFound(f"there is no upstream {upstream_id}")
        if upstream.declared:
            raise Conflict(f"the login of {upstream.name!r} is the server's configuration file's")
        spec = upstream.spec
        if (spec.username or None) != (username or None):
            return False
        return self._guesses.same(upstream_id, spec.password, password)

    def purge_upstream(self, upstream_id: int) -> None:
        """Let go of all that is cached of it, at once; a declared one as well."""
        with self._changing() as change:
            upstreams.purge(change, upstream_id)

    # Their order

    def association(self, association_id: int) -> Association | None:
        return self._now().associations.get(association_id)

    def associate(self, registry_id: int, upstream_id: int) -> Association:
        """Put an upstream of the same group in the last place."""
        with self._changing() as change:
            number = associations.add(change, registry_id, upstream_id)
        return change.after.associations[number]

    def move(self, association_id: int, position: int) -> Association:
        """To a position from 1; one past the last is the last."""
        with self._changing() as change:
            associations.move(change, association_id, position)
        return change.after.associations[association_id]

    def disassociate(self, association_id: int) -> None:
        """The upstream stays, even where nothing lists it."""
        with self._changing() as change:
            associations.disassociate(change, association_id)

    # Rules

    def add_rule(self, upstream_id: int, rule: Rule) -> Rule:
        """With its id. To declared upstreams too. Whether the format has the coordinate is for the
        caller to check."""
        with self._changing() as change:
            number = rules.add(change, upstream_id, rule)
        found = rules.find([change.after.upstreams[upstream_id]], number)
        assert found is not None
        return found[1]

    def rule(self, rule_id: int) -> tuple[ManagedUpstream, Rule] | None:
        """One that is stored, and whose it is."""
        return rules.find(self._now().upstreams.values(), rule_id)

    def remove_rule(self, rule_id: int) -> None:
        with self._changing() as change:
            rules.remove(change, rule_id)

    def _make_key(self, fields: Mapping[str, Any]) -> None:
        """Ahead of the transaction: it waits for others, who may wait for the database."""
        if not fields.get("password"):
            return
        with self._database.reading() as connection:
            sealed = any_sealed(connection)
        if not sealed:
            self._sealer.prepare()
