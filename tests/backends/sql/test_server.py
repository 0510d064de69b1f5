"""Where a shared database is said to be."""

from __future__ import annotations

import pytest

from virtreg.backends.sql.server import DatabaseServer
from virtreg.errors import ConfigError
from virtreg.model import Secret

ENCODE = "percent-encode what is in its password (@ as %40, / as %2F)"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:hunter2@db.example:6000/cache?sslmode=require", "db.example:6000/cache"),
        ("postgresql+psycopg://me:hunter2@db.example/cache", "db.example/cache"),
        ("postgresql://me:hunter2@/cache?host=a:1&host=b:2", "a:1,b:2/cache"),
        ("postgresql:///cache", "this host/cache"),
    ],
)
def test_a_server_is_named_without_who_asks(url: str, said: str) -> None:
    server = DatabaseServer(Secret(url))
    assert str(server) == f"PostgreSQL at {said}"
    assert "hunter2" not in repr(server)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hunter2", "is not a URL"),
        ("postgresql://me:hunter2@host:port/cache", "is not a URL"),
        ("mysql://me:hunter2@host/cache", "must begin with postgresql://"),
        ("sqlite:///hunter2", "must begin with postgresql://"),
        ("postgresql://me:x@hunter2@host/cache", f"more than one @; {ENCODE}"),
        ("postgresql://me:x@hunter2/y@host/cache", f"more than one @; {ENCODE}"),
        ("postgresql://m/e:hunter2@host/cache", f"more than one @; {ENCODE}"),
    ],
)
def test_another_url_is_refused_and_not_quoted(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DatabaseServer(Secret(url))
    assert caught.value.message == f"storage.database: {said}"
    assert caught.value.__cause__ is None
