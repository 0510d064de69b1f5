from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.e2e.processes import end
from tests.examples.hosting import Host, basic, hosted
from tests.examples.slapd import PEOPLE, DirectoryServer, slapd

pytestmark = pytest.mark.e2e

EXAMPLE = "custom_authenticator.py"
ANN = basic("ann", "correct horse")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DirectoryServer]:
    folder = tmp_path / "slapd"
    folder.mkdir()
    with slapd(folder, ann="correct horse", ben="battery staple") as server:
        yield server


def settings(directory: DirectoryServer) -> dict[str, str]:
    return {
        "LDAP_URL": directory.url,
        "LDAP_USER": f"uid={{}},{PEOPLE}",
        "LDAP_CA_FILE": str(directory.ca_file),
    }


@pytest.fixture
def host(tmp_path: Path, directory: DirectoryServer) -> Iterator[Host]:
    with hosted(tmp_path, EXAMPLE, ["ldap"], **settings(directory)) as host:
        yield host


def test_passwords_of_a_directory_server_open_registries(host: Host) -> None:
    assert host.pom(ANN) == 200
    assert host.pom(basic("ben", "battery staple")) == 200
    assert host.pull(ANN) == 200
    for wrong in (
        basic("ann", "battery staple"),
        basic("eve", "correct horse"),
        basic("ann", ""),
        basic("", ""),
        basic("*", "correct horse"),
    ):
        assert (host.pom(wrong), host.pull(wrong)) == (401, 401)
    assert (host.pom(), host.pull()) == (401, 401)


@pytest.mark.parametrize(
    "name",
    ["ann,ou=people", f"ann,{PEOPLE}", "ann+cn=ann", "ann\\", "#ann", " ann", "ANN", "ann\u0000"],
)
def test_a_name_is_never_more_than_a_name(host: Host, name: str) -> None:
    assert host.pom(basic(name, "correct horse")) == 401


def test_a_server_that_is_away_makes_no_password_wrong(
    host: Host, directory: DirectoryServer
) -> None:
    assert host.pom(ANN) == 200
    end(directory.process)
    ben = host.get("/maven/main/a/b/1/b-1.pom", basic("ben", "battery staple"))
    assert ben.status == 503
    assert "WWW-Authenticate" not in ben.headers
    assert host.pom(ANN) == 200  # remembered


def test_a_server_with_a_strange_certificate_is_shown_no_password(
    tmp_path: Path, directory: DirectoryServer
) -> None:
    strange = tmp_path / "strange.pem"
    trustme.CA().cert_pem.write_to_path(strange)
    told = {**settings(directory), "LDAP_CA_FILE": str(strange)}
    with hosted(tmp_path, EXAMPLE, ["ldap"], **told) as host:
        assert host.pom(ANN) == 503
