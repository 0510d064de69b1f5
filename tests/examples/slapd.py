"""A directory server: OpenLDAP's slapd, over TLS on loopback, with one database of its own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme
from attrs import frozen

from tests.e2e.processes import end, free_port, until

SUFFIX = "dc=example,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
_PROGRAM = "/usr/sbin/slapd"
_SCHEMAS = "".join(
    f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson")
)
_CONFIGURATION = f"""{_SCHEMAS}
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {{folder}}/certificate.pem
TLSCertificateKeyFile {{folder}}/key.pem
database mdb
suffix "{SUFFIX}"
directory {{folder}}/database
access to attrs=userPassword by anonymous auth by * none
access to * by * none
"""
_TREE = f"""dn: {SUFFIX}
objectClass: domain
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people
"""
_PERSON = f"""
dn: uid={{uid}},{PEOPLE}
objectClass: inetOrgPerson
uid: {{uid}}
cn: {{uid}}
sn: {{uid}}
userPassword: {{password}}
"""


@frozen
class DirectoryServer:
    url: str
    ca_file: Path
    process: subprocess.Popen[bytes]


@contextmanager
def slapd(folder: Path, **passwords: str) -> Iterator[DirectoryServer]:
    """The server, with these users."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    (folder / "database").mkdir()
    settings = folder / "slapd.conf"
    settings.write_text(_CONFIGURATION.format(folder=folder))
    people = [_PERSON.format(uid=uid, password=text) for uid, text in passwords.items()]
    subprocess.run(
        [_PROGRAM, "-T", "add", "-f", str(settings)],
        input="".join((_TREE, *people)).encode(),
        check=True,
        timeout=60,
    )
    port = free_port()
    with (folder / "slapd.log").open("wb") as log:
        process = subprocess.Popen(
            [_PROGRAM, "-f", str(settings), "-h", f"ldaps://127.0.0.1:{port}", "-d", "0"],
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: _listens(process, port), f"directory server, see {folder / 'slapd.log'}")
        yield DirectoryServer(f"ldaps://localhost:{port}", folder / "ca.pem", process)
    finally:
        end(process)


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
