"""Upstreams that are stored, and their logins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.backends.catalog.conftest import Clock, Open
from virtreg.backends.catalog import ManagementLimits, SqlCatalog
from virtreg.errors import Invalid, NotFound, StorageError
from virtreg.managed import ManagedUpstream
from virtreg.model import Secret, UpstreamSpec
from virtreg.testing.catalogs import CENTRAL, registry_of

URL = "https://nexus.example/maven"
PASSWORD = Secret("correct-horse-battery")
LOGIN = {"username": "bob", "password": PASSWORD}


@pytest.fixture
def registry(catalog: SqlCatalog) -> int:
    return catalog.add_registry("g", "maven", {"name": "r"}).spec.id


def add(catalog: SqlCatalog, registry: int, **fields: Any) -> ManagedUpstream:
    return catalog.add_upstream(registry, {"name": "nexus", "url": URL, **fields})[0]


def login(upstream: ManagedUpstream) -> tuple[str | None, Secret | None]:
    return upstream.spec.username, upstream.spec.password


def test_an_upstream_is_there_as_it_was_given(
    catalog: SqlCatalog, registry: int, clock: Clock
) -> None:
    settings: dict[str, Any] = {
        "cache_validity_hours": 12,
        "metadata_cache_validity_hours": 3,
        "on_error": "continue",
        "on_refused": "absent",
        "on_missing": "drop",
        "negative_validity_seconds": 7,
        "connect_timeout": 1.5,
        "read_timeout": 9,
        "max_connections": 4,
        "minimum_release_age_hours": 48,
    }
    upstream, place = catalog.add_upstream(
        registry, {"name": "nexus", "url": URL, "description": "Ours", **LOGIN, **settings}
    )
    assert upstream.spec == UpstreamSpec("nexus", URL, "bob", PASSWORD, id=upstream.id, **settings)
    assert (upstream.name, upstream.group, upstream.format) == ("nexus", "g", "maven")
    assert (upstream.description, upstream.declared) == ("Ours", False)
    assert (upstream.created_at, upstream.updated_at) == (clock.now, clock.now)
    assert catalog.upstream(upstream.id) == upstream
    assert catalog.upstreams_of(registry) == [(place, upstream)]
    assert catalog.associations_of(upstream.id) == [place]
    assert catalog.registries()[0].upstreams == (upstream.spec,)


def test_what_is_not_given_is_as_in_a_file(catalog: SqlCatalog, registry: int) -> None:
    upstream = add(catalog, registry)
    assert upstream.spec == UpstreamSpec("nexus", URL, id=upstream.id)


def test_a_change_keeps_the_rest(catalog: SqlCatalog, registry: int, clock: Clock) -> None:
    before = add(catalog, registry, on_error="continue", description="Ours", **LOGIN)
    clock.now += 5
    after = catalog.change_upstream(before.id, {"read_timeout": 3, "name": "renamed"})
    assert after.spec.on_error == "continue"
    assert after.spec.read_timeout == 3
    assert (after.name, after.spec.name, after.description) == ("renamed", "renamed", "Ours")
    assert login(after) == ("bob", PASSWORD)
    assert after.updated_at == clock.now
    assert after.spec.key == before.spec.key


def test_several_may_have_one_name_and_each_is_told_apart(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    made = [
        add(catalog, registry, name=name, url=f"https://u{number}.example/")
        for number, name in enumerate(("central", "a b", "a b", "ok", "ok"))
    ]
    assert [each.name for each in made] == ["central", "a b", "a b", "ok", "ok"]
    first, *_, last = made
    assert (first.spec.name, last.spec.name) == (f"central #{first.id}", f"ok #{last.id}")
    assert len({each.spec.name for each in made}) == 5
    assert made[3].spec.name == "ok"


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ({"url": "https://other.example"}, (None, None)),
        ({"url": "https://other.example", "username": "bob"}, (None, None)),
        ({"url": "https://other.example", "username": "bob", "password": None}, (None, None)),
        ({"url": "https://other.example", "password": Secret("x")}, (None, None)),
        (
            {"url": "https://other.example", "username": "bob", "password": Secret("x")},
            ("bob", Secret("x")),
        ),
        ({"url": URL}, ("bob", PASSWORD)),
        ({"username": "bob"}, ("bob", PASSWORD)),
        ({"username": "bob", "password": None}, ("bob", PASSWORD)),
        ({"username": "bob", "password": Secret("")}, ("bob", PASSWORD)),
        ({"password": Secret("")}, ("bob", PASSWORD)),
        ({"password": Secret("new")}, ("bob", Secret("new"))),
        ({"username": "eve", "password": Secret("new")}, ("eve", Secret("new"))),
        ({"username": None, "password": None}, (None, None)),
        ({"username": "", "password": Secret("")}, (None, None)),
    ],
)
def test_a_login_goes_with_its_url_and_a_password_with_its_user(
    catalog: SqlCatalog,
    registry: int,
    fields: dict[str, Any],
    after: tuple[str | None, Secret | None],
) -> None:
    upstream = add(catalog, registry, **LOGIN)
    assert login(catalog.change_upstream(upstream.id, fields)) == after


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"username": "", "password": Secret("x")}, "username"),
        ({"username": None}, "username"),
        ({"username": "eve"}, "password"),
        ({"username": "eve", "password": Secret("")}, "password"),
        ({"url": "https://o.example", "username": "", "password": Secret("x")}, "username"),
    ],
)
def test_half_a_login_is_refused(
    catalog: SqlCatalog, registry: int, fields: dict[str, Any], wrong: str
) -> None:
    upstream = add(catalog, registry, **LOGIN)
    with pytest.raises(Invalid) as caught:
        catalog.change_upstream(upstream.id, fields)
    assert caught.value.fields == {wrong: ("can't be blank",)}
    assert catalog.upstream(upstream.id) == upstream


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"username": "bob"}, "password"), ({"password": PASSWORD}, "username")],
)
def test_a_new_upstream_has_a_whole_login_or_none(
    catalog: SqlCatalog, registry: int, fields: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(Invalid) as caught:
        add(catalog, registry, **fields)
    assert caught.value.fields == {wrong: ("can't be blank",)}


def test_an_upstream_with_the_same_url_and_login_is_refused(
    catalog: SqlCatalog, registry: int
) -> None:
    same = {"group": ("already has an upstream with the same credentials",)}
    add(catalog, registry, **LOGIN)
    for fields in (
        {"username": "bob", "password": Secret("x")},
        {},
        {"username": "eve", "password": PASSWORD},
    ):
        other = add(catalog, registry, **fields)
        with pytest.raises(Invalid) as caught:
            catalog.change_upstream(other.id, LOGIN)
        assert caught.value.fields == same
        assert PASSWORD.reveal() not in str(caught.value)
    with pytest.raises(Invalid) as caught:
        add(catalog, registry, **LOGIN)
    assert caught.value.fields == same
    elsewhere = catalog.add_registry("h", "maven", {"name": "r"}).spec.id
    add(catalog, elsewhere, **LOGIN)


def test_a_declared_upstream_is_no_reason_to_store_it_again(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    registry = catalog.add_registry("default", "maven", {"name": "r"}).spec.id
    with pytest.raises(Invalid, match="already has an upstream with the same credentials"):
        add(catalog, registry, url=CENTRAL.url)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": "ftp://x.example"}, ["url"]),
        ({"url": ""}, ["url"]),
        ({"url": "https://u:p@x.example"}, ["url"]),
        ({"url": "https://x.example/?token=a"}, ["url"]),
        ({"url": "https://x.example/" + "a" * 255}, ["url"]),
        ({"name": ""}, ["name"]),
        ({"username": "a:b", "password": PASSWORD}, ["username"]),
        ({"username": "a" * 511, "password": Secret("b" * 511)}, ["username", "password"]),
        ({"username": "a", "password": Secret("b\r\nX: y")}, ["password"]),
        ({"cache_validity_hours": -1}, ["cache_validity_hours"]),
        ({"cache_validity_hours": True}, ["cache_validity_hours"]),
        ({"cache_validity_hours": float("nan")}, ["cache_validity_hours"]),
        ({"metadata_cache_validity_hours": 0}, ["metadata_cache_validity_hours"]),
        ({"on_error": "explode"}, ["on_error"]),
        ({"max_connections": 0}, ["max_connections"]),
        ({"max_connections": 2.5}, ["max_connections"]),
        ({"allow_private": ["10.0.0.0/8"]}, ["allow_private"]),
        ({"rules": []}, ["rules"]),
    ],
)
def test_fields_that_are_wrong_are_named(
    catalog: SqlCatalog, registry: int, fields: dict[str, Any], wrong: list[str]
) -> None:
    upstream = add(catalog, registry, url="https://good.example/")
    changes: list[Callable[[], object]] = [
        lambda: add(catalog, registry, **fields),
        lambda: catalog.change_upstream(upstream.id, fields),
    ]
    for change in changes:
        with pytest.raises(Invalid) as caught:
            change()
        assert list(caught.value.fields) == wrong
        assert PASSWORD.reveal() not in str(caught.value)
    assert len(catalog.upstreams_of(registry)) == 1


def test_images_have_no_release_dates(catalog: SqlCatalog) -> None:
    images = catalog.add_registry("g", "container", {"name": "r"}).spec.id
    with pytest.raises(Invalid, match="minimum_release_age_hours must be 0"):
        add(catalog, images, minimum_release_age_hours=1)
    assert add(catalog, images, minimum_release_age_hours=0).spec.minimum_release_age_hours == 0


def test_upstreams_are_listed_in_pages_those_changed_last_first(
    catalog: SqlCatalog, registry: int, clock: Clock
) -> None:
    made = []
    for number in range(5):
        made.append(
            add(catalog, registry, name=f"Nexus {number}", url=f"https://u{number}.example")
        )
        clock.now += 1
    catalog.change_upstream(made[0].id, {"description": "later"})
    add(catalog, registry, name="other")
    names = [each.name for each in catalog.upstreams_of_group("g", "maven", "nexus")[0]]
    assert names == ["Nexus 0", "Nexus 4", "Nexus 3", "Nexus 2", "Nexus 1"]
    page, total = catalog.upstreams_of_group("g", "maven", "nexus", limit=2, offset=2)
    assert ([each.name for each in page], total) == (["Nexus 3", "Nexus 2"], 5)
    assert catalog.upstreams_of_group("g", "maven")[1] == 6
    assert catalog.upstreams_of_group("g", "container") == ([], 0)
    assert catalog.upstreams_of_group("h", "maven") == ([], 0)


def test_no_password_stands_in_a_file_or_a_message(
    catalog: SqlCatalog, registry: int, tmp_path: Path
) -> None:
    upstream = add(catalog, registry, **LOGIN)
    catalog.change_upstream(upstream.id, {"password": Secret("another-secret-text")})
    catalog.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "secret.key" in {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert PASSWORD.reveal().encode() not in content
        assert b"another-secret-text" not in content
    assert "another-secret-text" not in repr(catalog.__dict__)


def test_where_a_password_does_not_open_its_upstream_alone_is_unusable(
    catalog: SqlCatalog,
    registry: int,
    opened: Open,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    upstream = add(catalog, registry, **LOGIN)
    sound = add(catalog, registry, url="https://sound.example/")
    key = tmp_path / "secret.key"
    kept = key.read_bytes()
    key.unlink()
    other = opened()
    (spec,) = other.registries()
    assert [each.unusable for each in spec.upstreams] == ["its password does not open", ""]
    assert spec.upstreams[1] == sound.spec
    found = other.upstream(upstream.id)
    assert found is not None
    assert found.spec.password is None
    assert found.spec.key == upstream.spec.key
    other.registries()
    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert line.startswith(f"upstream {upstream.id} cannot be used: its password cannot be opened")
    assert "no file" in line
    assert PASSWORD.reveal() not in line
    assert other.change_registry(registry, {"name": "renamed"}).name == "renamed"
    with pytest.raises(StorageError, match="no password can be stored now") as caught:
        other.change_upstream(upstream.id, {"password": Secret("x")})
    assert str(tmp_path) not in caught.value.message
    assert "no password can be stored: there is no key: no file" in caplog.text
    assert not key.exists()
    key.touch(mode=0o600)
    key.write_bytes(kept)
    assert other.registries()[0].upstreams[0].password == PASSWORD


def test_what_is_not_there_is_not_found(catalog: SqlCatalog) -> None:
    assert catalog.registry(1) is None
    assert catalog.upstream(1) is None
    assert catalog.association(1) is None
    assert catalog.rule(1) is None
    assert catalog.upstreams_of(1) == []
    assert catalog.associations_of(1) == []
    for change in (
        lambda: catalog.change_registry(1, {}),
        lambda: catalog.purge_registry(1),
        lambda: catalog.add_upstream(1, {"name": "a", "url": URL}),
        lambda: catalog.change_upstream(1, {}),
        lambda: catalog.remove_upstream(1),
        lambda: catalog.purge_upstream(1),
        lambda: catalog.move(1, 1),
        lambda: catalog.disassociate(1),
        lambda: catalog.remove_rule(1),
        lambda: catalog.remove_policy("g"),
    ):
        with pytest.raises(NotFound):
            change()


def test_a_group_has_no_more_upstreams_than_its_registries_can_list(opened: Open) -> None:
    limits = ManagementLimits({"maven": 2}, {"maven": 2})
    catalog = opened([], limits=limits)
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    for number in range(4):
        _, place = catalog.add_upstream(registry, {"name": "x", "url": f"{URL}/{number}"})
        catalog.disassociate(place.id)
    with pytest.raises(Invalid) as caught:
        catalog.add_upstream(registry, {"name": "x", "url": f"{URL}/5"})
    assert caught.value.fields == {"group": ("4 upstreams is the maximum allowed per group.",)}
    target = catalog.add_registry("g", "maven", {"name": "s"}).spec.id
    with pytest.raises(Invalid, match="maximum allowed per group"):
        catalog.add_local_upstream(registry, {"name": "x", "local_registry_id": target})
    elsewhere = catalog.add_registry("h", "maven", {"name": "r"}).spec.id
    assert catalog.add_upstream(elsewhere, {"name": "x", "url": URL})
