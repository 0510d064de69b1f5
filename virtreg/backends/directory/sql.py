"""The directory in a SQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, delete, insert, or_, select, update

from virtreg.backends.directory import adding
from virtreg.backends.directory.alike import fit_group, fit_user
from virtreg.backends.directory.names import check_name, check_new_name
from virtreg.backends.directory.rows import group_of, row_of, token_of, user_of
from virtreg.backends.directory.schema import groups, members, revisions, tokens, users
from virtreg.backends.sql.database import Database
from virtreg.core.identity import Group, Role, Token, TokenKind, User
from virtreg.errors import NotFound

_OF_USERS = (TokenKind.PERSONAL.value, TokenKind.JOB.value)


class SqlDirectory:
    """A Directory that Announces.

    Every method raises StorageError for database trouble. Those that name somebody or something
    new raise InvalidRequest for what cannot be a name, and Conflict for one that could be taken for
    another: a user's or a group's that differs from another's in case or Unicode form alone, or of
    a token and of a user the same. Safe from any thread; may exist before a
    fork and be used after it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def revision(self) -> int:
        ((number,),) = self._database.rows("SELECT number FROM revisions", ())
        return int(number)

    def user(self, name: str) -> User | None:
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
        return None if row is None else user_of(row)

    def users(self) -> list[User]:
        with self._database.reading() as connection:
            return [user_of(row) for row in connection.execute(select(users).order_by("name"))]

    def save_user(self, user: User) -> None:
        check_name(user.name, "user")
        facts = {"administrator": user.administrator, "blocked": user.blocked}
        known = update(users).where(users.c.name == user.name).values(**facts)
        with self._changing() as connection:
            if connection.execute(known).rowcount:
                return
            check_new_name(user.name, "user")
            fit_user(connection, user.name)
            connection.execute(insert(users).values(name=user.name, **facts))

    def remove_user(self, name: str) -> None:
        of_user = (tokens.c.username == name, tokens.c.kind.in_(_OF_USERS))
        with self._changing() as connection:
            if not connection.execute(delete(users).where(users.c.name == name)).rowcount:
                raise NotFound(f"there is no user {name!r}")
            connection.execute(delete(tokens).where(*of_user))

    def group(self, name: str) -> Group | None:
        with self._database.reading() as connection:
            row = connection.execute(select(groups).where(groups.c.name == name)).one_or_none()
        return None if row is None else group_of(row)

    def groups(self) -> list[Group]:
        with self._database.reading() as connection:
            return [group_of(row) for row in connection.execute(select(groups).order_by("id"))]

    def add_group(self, name: str) -> Group:
        check_new_name(name, "group")
        with self._changing() as connection:
            fit_group(connection, name)
            statement = insert(groups).values(name=name, enabled=True).returning(groups)
            return group_of(connection.execute(statement).one())

    def switch_group(self, name: str, enabled: bool) -> None:
        statement = update(groups).where(groups.c.name == name).values(enabled=enabled)
        with self._changing() as connection:
            if not connection.execute(statement).rowcount:
                raise NotFound(f"there is no group {name!r}")

    def roles(self, user: str) -> Mapping[str, Role]:
        statement = select(members.c.group, members.c.role).where(members.c.user == user)
        with self._database.reading() as connection:
            found = connection.execute(statement.order_by("group"))
            return {group: Role(role) for group, role in found}

    def members(self, group: str) -> Mapping[str, Role]:
        statement = select(members.c.user, members.c.role).where(members.c.group == group)
        with self._database.reading() as connection:
            found = connection.execute(statement.order_by("user"))
            return {user: Role(role) for user, role in found}

    def set_role(self, group: str, user: str, role: Role | None) -> None:
        held = (members.c.group == group, members.c.user == user)
        with self._changing() as connection:
            adding.need_group(connection, group)
            adding.need_user(connection, user)
            if role is None:
                connection.execute(delete(members).where(*held))
                return
            known = update(members).where(*held).values(role=int(role))
            if not connection.execute(known).rowcount:
                row = {"group": group, "user": user, "role": int(role)}
                connection.execute(insert(members).values(row))

    def add_token(self, token: Token, digest: str) -> None:
        adding.check_token(token)
        with self._changing() as connection:
            adding.fit_token(connection, token, digest)
            connection.execute(insert(tokens).values(row_of(token, digest)))

    def token(self, digest: str) -> Token | None:
        with self._database.reading() as connection:
            row = connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
        return None if row is None else token_of(row)

    def token_by_id(self, token_id: str) -> Token | None:
        with self._database.reading() as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == token_id)).one_or_none()
        return None if row is None else token_of(row)

    def tokens(self) -> list[Token]:
        statement = select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id)
        with self._database.reading() as connection:
            return [token_of(row) for row in connection.execute(statement)]

    def revoke_token(self, token_id: str, at: float) -> None:
        of_id = tokens.c.id == token_id
        good = (of_id, tokens.c.revoked_at.is_(None))
        with self._changing() as connection:
            if not adding.exists(connection, of_id):
                raise NotFound(f"there is no token {token_id!r}")
            connection.execute(update(tokens).where(*good).values(revoked_at=at))

    def used_tokens(self, uses: Mapping[str, float]) -> None:
        """Of several times the last one is kept, whichever process tells it first."""
        last = tokens.c.last_used_at
        with self._database.writing() as connection:
            for token_id, at in uses.items():
                later = (tokens.c.id == token_id, or_(last.is_(None), last < at))
                connection.execute(update(tokens).where(*later).values(last_used_at=at))

    def close(self) -> None:
        """Close every connection of this process; repeatable."""
        self._database.close()

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            yield connection
            connection.execute(update(revisions).values(number=revisions.c.number + 1))
        for listener in self._listeners:
            listener()
