"""Passwords and the keys that seal them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.backends.catalog.conftest import Open
from tests.backends.places import Place
from virtreg.backends.catalog import SqlCatalog, open_catalog, open_passwords
from virtreg.backends.catalog.schema import upstreams
from virtreg.backends.vault import MasterKeys, Vault, new_key
from virtreg.errors import ConfigError
from virtreg.model import Secret


def add(catalog: SqlCatalog, *names: str) -> None:
    registry = catalog.add_registry("g", "maven", {"name": f"r-{names[0]}"}).spec.id
    for name in names:
        login = {"username": name, "password": Secret(f"password of {name}")}
        catalog.add_upstream(registry, {"name": name, "url": "https://u.example/", **login})


def passwords(catalog: SqlCatalog) -> dict[str, str]:
    found = [each for spec in catalog.registries() for each in spec.upstreams]
    return {each.name: each.password.reveal() for each in found if each.password is not None}


def vault(folder: Path) -> Vault:
    return Vault(folder / "data", MasterKeys(folder / "secret.key"))


def test_passwords_are_rotated_with_the_secrets_of_the_vault(
    catalog: SqlCatalog, opened: Open, place: Place, tmp_path: Path
) -> None:
    add(catalog, "a", "b")
    keys = vault(tmp_path)
    keys.set("nexus", Secret("named"))
    before = passwords(catalog)
    stored = open_passwords(place)
    assert stored is not None
    assert keys.rotate(forget_old=True, beside=[stored]) == 3
    stored.close()
    assert len(keys.keys.read()) == 1
    assert passwords(opened()) == passwords(catalog) == before
    assert keys.read("nexus") == Secret("named")


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_what_the_old_key_sealed_is_gone_from_the_files(
    catalog: SqlCatalog, place: Place, tmp_path: Path
) -> None:
    add(catalog, "a", "b")
    with catalog._database.reading() as connection:
        sealed = [row.password.encode() for row in connection.execute(select(upstreams))]

    def files() -> bytes:
        return b"".join(each.read_bytes() for each in (tmp_path / "data").glob("catalog.sqlite*"))

    assert all(text in files() for text in sealed)
    stored = open_passwords(place)
    assert stored is not None
    keys = vault(tmp_path)
    keys.rotate(forget_old=True, beside=[stored])
    stored.close()
    assert passwords(catalog) == {"a": "password of a", "b": "password of b"}
    assert not any(text in files() for text in sealed)


def test_a_password_that_does_not_open_keeps_everything_as_it_was(
    catalog: SqlCatalog, place: Place, tmp_path: Path
) -> None:
    add(catalog, "a", "b")
    with catalog._database.writing() as connection:
        connection.execute(update(upstreams).where(upstreams.c.name == "b").values(password="x"))
    keys = vault(tmp_path)
    before = keys.keys.read()
    stored = open_passwords(place)
    assert stored is not None
    with pytest.raises(ConfigError, match="the password of upstream 2 does not open"):
        keys.rotate(forget_old=True, beside=[stored])
    stored.close()
    assert keys.keys.read() == before


def test_a_sealed_password_opens_for_its_upstream_alone(
    catalog: SqlCatalog, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    add(catalog, "a", "b")
    with catalog._database.writing() as connection:
        sealed = connection.scalar(upstreams.select().with_only_columns(upstreams.c.password))
        connection.execute(update(upstreams).values(password=sealed))
    assert passwords(opened()) == {"a": "password of a"}
    assert "upstream 2 cannot be used: its password was sealed for another" in caplog.text


def test_what_is_stored_while_keys_are_rotated_opens_afterwards(
    catalog: SqlCatalog, opened: Open, place: Place, tmp_path: Path
) -> None:
    add(catalog, "first")
    rotated = threading.Event()

    def rotate() -> None:
        stored = open_passwords(place)
        assert stored is not None
        for _ in range(10):
            vault(tmp_path).rotate(forget_old=True, beside=[stored])
        stored.close()
        rotated.set()

    thread = threading.Thread(target=rotate)
    thread.start()
    number = 0
    while not rotated.is_set() and number < 200:
        add(catalog, f"u{number}")
        catalog.remove_registry(catalog.registries_of("g", "maven")[0].spec.id)
        number += 1
    thread.join()
    add(catalog, "last")
    assert passwords(opened()) == {f"u{number - 1}": f"password of u{number - 1}"} | {
        "last": "password of last"
    }


def test_there_is_no_key_until_there_is_a_password(catalog: SqlCatalog, tmp_path: Path) -> None:
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    catalog.add_upstream(registry, {"name": "open", "url": "https://u.example/"})
    assert not (tmp_path / "secret.key").exists()
    add(catalog, "a")
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_keys_of_the_environment_are_used(
    opened: Open, place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = MasterKeys(tmp_path / "secret.key", new_key())
    catalog = open_catalog(place, keys=given)
    add(catalog, "a")
    catalog.close()
    assert not (tmp_path / "secret.key").exists()
    assert passwords(opened()) == {}
    assert "there is no key" in caplog.text


def test_where_nothing_is_stored_there_are_no_passwords(tmp_path: Path) -> None:
    assert open_passwords(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
