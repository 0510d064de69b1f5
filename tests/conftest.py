"""Fixtures of all tests."""

from __future__ import annotations

from tests.postgres import database_name, database_url, postgres

__all__ = ["database_name", "database_url", "postgres"]
