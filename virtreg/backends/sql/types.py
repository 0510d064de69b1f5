"""Types of columns that mean the same in every database."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from virtreg.errors import InvalidRequest


class Text(TypeDecorator[str]):
    """Text, equal only to itself and ordered by code point, whatever language a database speaks.

    No database is given text with a NUL, which PostgreSQL does not store: InvalidRequest.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        ordered = String(collation="C") if dialect.name == "postgresql" else String()
        return dialect.type_descriptor(ordered)

    def process_bind_param(self, value: str | None, _: Dialect) -> str | None:
        if value is not None and "\0" in value:
            raise InvalidRequest("text with a NUL character")
        return value
