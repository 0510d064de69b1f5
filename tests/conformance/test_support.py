"""Whether the API is spoken here, and to whom."""

from __future__ import annotations

import pytest
from werkzeug.security import generate_password_hash

from tests.conformance.clauses import clause
from tests.conformance.client import Client, error_code
from tests.e2e.images import single
from tests.wsgi.doors import served
from tests.wsgi.images import gallery, spec
from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.testing.origin import basic

pytestmark = pytest.mark.e2e


@clause("Determining Support", "MUST", "`GET /v2/` is 200 (end-1)")
def test_the_root_is_there(client: Client) -> None:
    answer, without = client.get(""), client.head("")
    assert answer.status == without.status == 200
    assert answer.ours == without.ours


@clause("Determining Support", "MUST", "`GET /v2/` is 401 to whom it does not serve (end-1)")
def test_the_root_challenges_strangers() -> None:
    known = BasicAuthenticator({"ann": generate_password_hash("secret")})
    with gallery(served, "", [spec(1, "hub", "docker.io")], authenticator=known) as guarded:
        stranger = guarded.get("/v2/")
        assert (stranger.status, error_code(stranger)) == (401, "UNAUTHORIZED")
        assert stranger["WWW-Authenticate"] == 'Basic realm="Test", charset="UTF-8"'
        assert guarded.get("/v2/", dict([basic("ann", "secret")])).status == 200


@clause("Legacy Docker support", "MAY", "`Docker-Distribution-Api-Version: registry/2.0` is told")
def test_the_version_is_told_to_old_clients(client: Client) -> None:
    image = single("library/none")
    for path in ("", f"{image.name}/manifests/{image.tag}", f"{image.name}/tags/list"):
        assert client.get(path)["Docker-Distribution-Api-Version"] == "registry/2.0"
